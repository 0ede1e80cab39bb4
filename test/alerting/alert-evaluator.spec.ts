import { beforeEach, describe, expect, it } from '@jest/globals';
import type { PerformanceAlert, RuleReading } from '../../lib/alerting/alert.js';
import { AlertEvaluator } from '../../lib/alerting/alert-evaluator.js';
import type { AlertSources } from '../../lib/alerting/alert-sources.js';
import { operationRule } from '../../lib/alerting/operation-rules.js';
import { heapUsedRule } from '../../lib/alerting/process-rules.js';

describe('AlertEvaluator', () => {
  let readings: RuleReading[];
  let told: PerformanceAlert[];
  let evaluator: AlertEvaluator;
  let now: number;
  beforeEach(() => {
    readings = [];
    told = [];
    now = 0;
    evaluator = new AlertEvaluator(
      [
        {
          name: 'rule',
          severity: 'warning',
          forMs: 0,
          keepFiringMs: 0,
          labels: {},
          unit: '%',
          threshold: 10,
          resolveBelow: 8,
          minCount: 20,
          read: () => readings,
          describe: ({ subject, value }) => `${subject}: ${value}`,
        },
      ],
      (alert) => told.push(alert),
    );
  });

  const states = (...given: RuleReading[][]): string[] => {
    for (const next of given) {
      readings = next;
      evaluator.evaluate(++now);
    }
    return told.map(({ state, subject, timestamp }) => `${timestamp} ${state} ${subject}`);
  };
  const of = (value: number, count = 100, subject = 'http'): RuleReading[] => [{ subject, value, count }];

  it('fires once above the threshold, and resolves once', () => {
    expect(states(of(11), of(12), of(50), of(5), of(5))).toEqual(['1 firing http', '4 resolved http']);
    expect(told[0]?.id).toBe(told[1]?.id);
    expect(told[1]).toMatchObject({ firedAt: 1, timestamp: 4, value: 5, threshold: 10, summary: 'http: 5' });
  });

  it('does not flap while the value hovers around the threshold', () => {
    expect(states(of(10.5), of(9.5), of(10.5), of(8.5), of(10.5))).toEqual(['1 firing http']);
  });

  it('begins a new episode when it fires again', () => {
    expect(states(of(11), of(1), of(11))).toEqual(['1 firing http', '2 resolved http', '3 firing http']);
    expect(told[0]?.id).not.toBe(told[2]?.id);
  });

  it.each([
    ['at the threshold', of(10)],
    ['with too few operations', of(100, 19)],
    ['without readings', []],
    ['for a figure that is none', of(Number.NaN)],
  ])('is silent %s', (_what, given) => {
    expect(states(given, given)).toEqual([]);
  });

  it('keeps its state with too few operations, and resolves without any', () => {
    expect(states(of(11), of(11, 3), [])).toEqual(['1 firing http', '3 resolved http']);
  });

  it('keeps subjects apart', () => {
    const both = [...of(11), ...of(1, 100, 'database')];
    expect(states(both, of(20, 100, 'database'))).toEqual([
      '1 firing http',
      '2 firing database',
      '2 resolved http',
    ]);
    expect(evaluator.active()).toEqual([{ rule: 'rule', subject: 'database', firedAt: 2 }]);
  });
});

describe('the rules to begin with', () => {
  it('looks at the share of slow operations by type', () => {
    const rule = operationRule({ kind: 'slow_percentage', threshold: 5 }, {
      types: () => ['http'],
      type: () => ({ count: 40, slowCount: 5, slowPercentage: 12.5, errorCount: 0 }),
    } as unknown as AlertSources);
    const [reading] = rule.read(0);
    expect(reading).toEqual({ subject: 'http', value: 12.5, count: 40, labels: { type: 'http' } });
    expect(reading && rule.describe(reading)).toBe(
      '12.5 % of 40 http operations in the last minute were slow (threshold 5 %)',
    );
  });

  it('looks at the heap', () => {
    const told: string[] = [];
    let used = 95;
    const rule = heapUsedRule({ kind: 'heap_used', threshold: 90 }, { heap: () => ({ used, limit: 100 }) });
    const evaluator = new AlertEvaluator([rule], ({ state, summary }) => told.push(`${state}: ${summary}`));
    for (used of [95, 89, 85, 80]) evaluator.evaluate(0);
    expect(told).toEqual([
      'firing: The heap uses 95 % of its limit (threshold 90 %)',
      'resolved: The heap uses 80 % of its limit (threshold 90 %)',
    ]);
  });
});
