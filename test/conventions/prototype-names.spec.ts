// Names of Object.prototype are names like any other: of types, operations, functions, labels, attributes and files.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable } from '@nestjs/common';
import { AlertmanagerNotifier } from '../../lib/alerting/alertmanager-notifier.js';
import { attributesOf } from '../../lib/cli/analyze/otlp-values.js';
import { parseOptions } from '../../lib/cli/options.js';
import { type CpuProfile, readProfile } from '../../lib/dashboard/page/cpu-profile.js';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { PerformanceMonitor } from '../../lib/index.js';
import { exposition, prometheusName } from '../../lib/metrics/exposition.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { PerformanceHealthIndicator } from '../../lib/nest/health/performance.health.js';
import { toHtml } from '../../lib/report/to-html.js';
import { toMarkdown } from '../../lib/report/to-markdown.js';
import { alertOf, notificationOf, SERVICE } from '../alerting/alerts.js';
import { Receiver } from '../alerting/receiver.js';
import { analyzed, runCli } from '../cli/support/analyzing.js';
import { Recording } from '../cli/support/recording.js';
import { parseOpenMetrics } from '../endpoint/openmetrics-parser.js';
import { startApplication, until } from '../support/application.js';

const NAMES = Object.getOwnPropertyNames(Object.prototype);
const ALLOWED_TYPES = NAMES.filter((name) => /^[A-Za-z]/.test(name));

const copyOf = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
/** What a dictionary itself holds, whatever it inherits. */
const ownOf = <T>(dictionary: Record<string, T>, name: string): T | undefined =>
  Object.getOwnPropertyDescriptor(dictionary, name)?.value as T | undefined;

describe('a name of Object.prototype', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  function monitorWith(
    options: ConstructorParameters<typeof PerformanceMonitor>[0] = {},
  ): PerformanceMonitor {
    const monitor = new PerformanceMonitor({ alerts: { enabled: false }, ...options });
    closing.push(() => monitor.shutdown());
    return monitor;
  }

  it('is a type and an operation in statistics, slow operations, reports, metrics and baselines', () => {
    const monitor = monitorWith();
    for (const name of NAMES) {
      for (const durationMs of [5, 50])
        monitor.record({ type: name, name, durationMs, thresholdMs: 10, error: false, statement: name });
    }
    for (const stats of [monitor.getStats(), copyOf(monitor.getStats())]) {
      expect(Object.keys(stats.byType).sort()).toEqual([...NAMES].sort());
      for (const name of NAMES) {
        expect(ownOf(stats.byType, name)).toMatchObject({ count: 2, slowCount: 1, slowPercentage: 50 });
      }
      expect(stats.operations.map(({ name }) => name).sort()).toEqual([...NAMES].sort());
    }
    const slow = copyOf(monitor.getSlowOperations());
    expect(slow.map(({ type, name }) => [type, name])).toEqual(
      [...NAMES].reverse().map((name) => [name, name]),
    );
    for (const { name, explanation } of slow) expect(explanation).toMatch(new RegExp(`^${name} took 50 ms`));
    expect(monitor.operationsByCost(100)).toHaveLength(NAMES.length);
    expect(monitor.lastMinute().map(({ type }) => type)).toEqual(NAMES);
    const report = monitor.getReport({ limit: 100 });
    for (const text of [toMarkdown(report), toHtml(report), JSON.stringify(report)]) {
      expect(text).not.toContain('native code');
      expect(text.match(/__lookupGetter__|\\_\\_lookupGetter\\_\\_/)).not.toBeNull();
    }
    const scraped = parseOpenMetrics(
      [...exposition(monitor.metrics.list(), monitor.metrics.target, 'openmetrics')].join(''),
    );
    for (const name of NAMES) {
      const of = { performance_operation_type: name, performance_operation_name: name };
      expect(scraped.value('performance_operation_duration_seconds_count', of)).toBe(2);
    }
  });

  it.each(ALLOWED_TYPES)('may have a threshold: %s', (type) => {
    const { thresholds } = resolveOptions({ customThresholds: { [type]: 5 } });
    expect(ownOf(thresholds, type)).toBe(5);
    const monitor = monitorWith({ customThresholds: { [type]: 5 } });
    expect(monitor.checkAndAnnotateSlowOperation({ name: type }, 6, type)).toBe(true);
    expect(monitorWith().checkAndAnnotateSlowOperation({}, 6, type)).toBe(false);
  });

  it('is a label of an alert and a name of a rule', async () => {
    const receiver = await Receiver.listen();
    closing.push(() => receiver.close());
    const url = `http://127.0.0.1:${receiver.port}`;
    const notifier = new AlertmanagerNotifier({ url }, SERVICE, () => {});
    const labels = Object.fromEntries(NAMES.map((name) => [name, `of ${name}`]));
    notifier.notify(notificationOf([alertOf({ rule: 'toString', labels })]));
    await notifier.flush(5000);
    const [alert] = JSON.parse(receiver.received[0]?.body ?? '') as { labels: Record<string, string> }[];
    for (const name of NAMES) expect(ownOf(alert?.labels ?? {}, name)).toBe(`of ${name}`);
    expect(alert?.labels['alertname']).toBe('toString');
  });

  it('is no limit of a health check', async () => {
    const indicator = new PerformanceHealthIndicator(monitorWith());
    for (const name of NAMES) {
      const limits = Object.fromEntries([[name, 5]]);
      await expect(indicator.isHealthy('performance', limits)).rejects.toThrow(
        `Invalid ${name}: received an unknown limit`,
      );
    }
  });

  it('is no command and no option of one, but where it is one', async () => {
    for (const name of NAMES) {
      expect(await runCli([name])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('Unknown command'),
      });
      expect(await runCli(['analyze', `--${name}`])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('Unknown option'),
      });
      const specs = Object.fromEntries([[name, { help: '', value: 'N' }]]);
      expect(ownOf(parseOptions([`--${name}=5`], specs).options, name)).toBe('5');
    }
  });

  it('is an attribute, a service, a route and a statement of a recorded trace', async () => {
    const listed = NAMES.map((key) => ({ key, value: { stringValue: `of ${key}` } }));
    for (const name of NAMES) expect(ownOf(attributesOf(listed), name)).toBe(`of ${name}`);
    for (const name of NAMES) {
      const recording = new Recording(name);
      const request = recording.request(name);
      const more = Object.fromEntries(NAMES.map((key) => [key, key]));
      for (let copy = 0; copy < 12; copy++) {
        recording.query(request, `SELECT * FROM ${name} WHERE id = $1`, 10, { [name]: 1 }, more);
      }
      expect(await analyzed([recording.otlp])).toMatchObject([
        { type: 'n_plus_one', service: name, route: `GET ${name}`, count: 12 },
      ]);
    }
  });

  it('is a unit that Prometheus has no word for', () => {
    for (const unit of NAMES)
      expect(prometheusName({ name: 'a', unit, kind: 'gauge' })).toEqual({ family: 'a', unit: undefined });
  });

  it('is a function in a flame graph', () => {
    const names = [...NAMES, 'main'];
    const frame = (functionName: string) => ({ functionName, url: functionName, lineNumber: 1 });
    const nodes = names.map((name, index) => ({ id: index + 2, callFrame: frame(name) }));
    const children = nodes.map(({ id }) => id);
    const profile: CpuProfile = {
      nodes: [{ id: 1, callFrame: frame('(root)'), children }, ...nodes],
      startTime: 0,
      endTime: 1000 * children.length,
      samples: children,
      timeDeltas: children.map((_, index) => (index === 0 ? 0 : 1000)),
    };
    const { root, functions } = readProfile(profile);
    expect(root.children.map(({ name }) => name).sort()).toEqual([...names].sort());
    expect(functions.map(({ name, selfMs }) => [name, selfMs]).sort()).toEqual(
      names.map((name) => [name, 1]).sort(),
    );
  });

  it('is a function that ran: of a real profile, in its explanation and its flame graph', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'names-'));
    closing.push(() => rmSync(directory, { recursive: true, force: true }));
    const { app, url, monitor } = await startApplication(
      'express',
      { controllers: [TextController], providers: [TextService] },
      {
        httpThresholdMs: 20,
        enableProfiling: true,
        profileSlowOperations: true,
        profiling: { sampler: 'inspector', directory, cooldownSeconds: 0 },
      },
    );
    closing.push(() => app.close());
    const explained = async (path: string): Promise<SlowOperation | undefined> => {
      await (await fetch(url + path)).text();
      const slow = () =>
        monitor.getSlowOperations({ type: 'http' }).find(({ name }) => name === `GET ${path}`);
      await until(() => slow()?.topFunctions !== undefined);
      return slow();
    };
    const own = await explained('/own');
    expect(own?.topFunctions?.[0]).toMatchObject({ function: 'toString' });
    expect(own?.explanation).toMatch(/% of it in toString \(prototype-names\.spec\.ts:\d+\)/);
    const profile = `${url}/performance/profiles/${own?.profile}`;
    const kept = readProfile((await (await fetch(profile)).json()) as CpuProfile);
    expect(kept.functions[0]).toMatchObject({ name: 'toString', owner: 'application' });
    const pprof = Buffer.from(await (await fetch(`${profile}?format=pprof`)).arrayBuffer());
    expect(gunzipSync(pprof).includes('toString')).toBe(true);
    const native = await explained('/native');
    expect(native?.topFunctions?.map(({ function: name }) => name)).toContain('toString');
    expect(native?.explanation).not.toContain('native code');
  });
});

// biome-ignore lint/suspicious/noShadowRestrictedNames: the name is what is tested
function toString(ms: number): number {
  let sum = 0;
  for (const end = Date.now() + ms; Date.now() < end; ) {
    for (let i = 0; i < 100_000; i++) sum += Math.sqrt(i);
  }
  return sum;
}

@Injectable()
class TextService {
  private readonly bytes = Buffer.alloc(5_000_000, 'äb');

  own(): number {
    return toString(300);
  }

  /** Of Node's `Buffer.prototype.toString`. */
  native(): number {
    let length = 0;
    for (const end = Date.now() + 300; Date.now() < end; ) length += this.bytes.toString('utf8').length;
    return length;
  }
}

@Controller()
class TextController {
  constructor(private readonly texts: TextService) {}

  @Get('own')
  own(): number {
    return this.texts.own();
  }

  @Get('native')
  native(): number {
    return this.texts.native();
  }
}
