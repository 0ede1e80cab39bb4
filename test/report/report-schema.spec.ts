import { afterEach, describe, expect, it } from '@jest/globals';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { buildReport } from '../../lib/report/build-report.js';
import type { JsonSchema } from '../../lib/report/json-schema.js';
import { faultOf } from '../../lib/report/json-schema-check.js';
import { REPORT_SCHEMA } from '../../lib/report/report-schema.js';
import { busyMonitor, fullSource } from './full-source.js';

/** The schema without additional properties, so that undescribed ones fail. */
function closed(schema: JsonSchema): object {
  const { properties, items, prefixItems, anyOf } = schema;
  return {
    ...schema,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, one]) => [name, closed(one)]),
          ),
          additionalProperties: false,
        }),
    ...(items === undefined ? {} : { items: closed(items) }),
    ...(prefixItems === undefined ? {} : { prefixItems: prefixItems.map(closed) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(closed) }),
  };
}

/** A report as parsed from JSON. */
type Loose = Record<string, unknown>;
const firstOf = (report: Loose, list: string): Loose => (report[list] as Loose[])[0] as Loose;

/** The path of every member and element. */
function placesIn(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    [name],
    ...placesIn(inner).map((path) => [name, ...path]),
  ]);
}
const VALUES = [
  undefined,
  null,
  true,
  -1,
  0,
  0.5,
  2,
  1e15,
  '',
  'x',
  'http',
  'up',
  [],
  [1],
  [1, 2],
  {},
  { kind: 'a' },
];

const validator = (schema: object): ValidateFunction => new Ajv2020({ strict: true }).compile(schema);
const open = validator(REPORT_SCHEMA);
const strict = validator({ ...closed(REPORT_SCHEMA), $id: 'urn:nestjs-performance:closed' });
const asJson = (value: unknown): Loose => JSON.parse(JSON.stringify(value)) as Loose;

describe('the schema of the report', () => {
  let monitor: PerformanceMonitor | undefined;
  afterEach(() => monitor?.shutdown());

  it('accepts the reports of an idle and of a busy monitor', () => {
    for (const served of [0, 50]) {
      monitor = busyMonitor(served);
      const report = asJson(buildReport(monitor));
      expect(strict(report) || strict.errors).toBe(true);
      expect(open(report) || open.errors).toBe(true);
      expect(faultOf(REPORT_SCHEMA, report)).toBeUndefined();
      void monitor.shutdown();
    }
  });

  it('accepts a report with every property, and describes each', () => {
    monitor = busyMonitor(50);
    const report = asJson(buildReport(fullSource(monitor)));
    expect(strict(report) || strict.errors).toBe(true);
    const { regressions, trends, leaks, recentAlerts, slos, baseline, slow } = report;
    for (const list of [regressions, trends, leaks, recentAlerts, slos, slow])
      expect(list).not.toHaveLength(0);
    expect(baseline).toMatchObject({ state: 'learning' });
  });

  it.each<[string, (report: Loose) => unknown, string]>([
    ['another version', (report) => Object.assign(report, { schemaVersion: 2 }), 'schemaVersion: received 2'],
    ['a missing list', (report) => Reflect.deleteProperty(report, 'slowest'), 'slowest is missing'],
    [
      'a text for a number',
      (report) => Object.assign(firstOf(report, 'slowest'), { p50Ms: '3' }),
      'slowest[0].p50Ms: received "3", expected a number',
    ],
    [
      'an unknown verdict',
      (report) => Object.assign(report, { verdict: 'good' }),
      'verdict: received "good"',
    ],
    [
      'a share above 1',
      (report) => Object.assign(firstOf(report, 'slowest'), { errorRate: 1.5 }),
      'slowest[0].errorRate: received 1.5, expected 1 or less',
    ],
    [
      'half an interval',
      (report) => Object.assign(firstOf(report, 'regressions'), { interval: [1] }),
      'regressions[0].interval: received an array',
    ],
    [
      'a subject of no kind',
      (report) => Object.assign(firstOf(report, 'trends'), { subject: { kind: 'moon' } }),
      'trends[0].subject: received an object',
    ],
    [
      'a label that is no text',
      (report) => Object.assign(firstOf(report, 'recentAlerts'), { labels: { team: 1 } }),
      'recentAlerts[0].labels.team: received 1',
    ],
    ['nothing', (report) => Object.assign(report, { covered: null }), 'covered: received null'],
  ])('rejects a report with %s, as ajv does', (_name, alter, message) => {
    monitor = busyMonitor(50);
    const report = asJson(buildReport(fullSource(monitor)));
    alter(report);
    expect(open(report)).toBe(false);
    expect(faultOf(REPORT_SCHEMA, report)).toContain(message);
  });

  it('rejects what ajv rejects, and accepts what ajv accepts, whatever stands in any place', () => {
    monitor = busyMonitor(50);
    const report = asJson(buildReport(fullSource(monitor)));
    const places = placesIn(report);
    const verdicts = { rejected: 0, accepted: 0 };
    fc.assert(
      fc.property(fc.nat(places.length - 1), fc.constantFrom(...VALUES), (at, value) => {
        const altered = structuredClone(report);
        const path = [...(places[at] ?? [])];
        const name = path.pop() ?? '';
        const parent = path.reduce<Loose>((inner, step) => inner[step] as Loose, altered);
        if (value === undefined) Reflect.deleteProperty(parent, name);
        else parent[name] = value;
        const accepted = open(asJson(altered));
        const fault = faultOf(REPORT_SCHEMA, asJson(altered));
        expect({ name, value, fault: fault === undefined }).toEqual({ name, value, fault: accepted });
        verdicts[accepted ? 'accepted' : 'rejected']++;
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(verdicts.accepted, verdicts.rejected)).toBeGreaterThan(300);
  });

  it('ignores unknown properties', () => {
    monitor = busyMonitor(5);
    const report = asJson({ ...buildReport(monitor), moon: 'full' });
    expect([open(report), strict(report), faultOf(REPORT_SCHEMA, report)]).toEqual([true, false, undefined]);
  });
});
