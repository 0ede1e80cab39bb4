import { describe, expect, it } from '@jest/globals';
import { AlertEvaluator } from '../../lib/alerting/alert-evaluator.js';
import type { MissingTrafficRuleOptions } from '../../lib/alerting/alert-options.js';
import { alertRules } from '../../lib/alerting/alert-rules.js';
import type { AlertSources } from '../../lib/alerting/alert-sources.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { Statistics } from '../../lib/statistics/statistics.js';

const MINUTE = 60_000;
const START = 100 * MINUTE;

/** A rule evaluated every ten seconds against real statistics, with a clock of its own. */
class Service {
  readonly told: string[] = [];
  private readonly statistics = new Statistics(100);
  private readonly evaluator: AlertEvaluator;
  private now = START;

  constructor(rule: Omit<MissingTrafficRuleOptions, 'kind'>) {
    const { statistics } = this;
    const { alerts } = resolveOptions({
      alerts: { defaultRules: false, rules: [{ kind: 'missing_traffic', ...rule }] },
    });
    const sources = {
      type: (type: string) => statistics.typeSummary(type, 'hour', this.now),
      operation: (name: string, _window: string, type?: string) =>
        statistics.operationSummary(name, 'hour', this.now, type),
      quietMs: (type: string | undefined, name: string | undefined) =>
        statistics.quietMs(type, name, this.now),
      burnRates: () => [],
    } as unknown as AlertSources;
    this.evaluator = new AlertEvaluator(alertRules(alerts, sources), ({ state, summary }) =>
      this.told.push(`${(this.now - START) / MINUTE} ${state}: ${summary}`),
    );
  }

  /** @param perMinute operations in each minute, evenly spread; below 1 for one in several minutes */
  run(minutes: number, perMinute: number, name = 'GET /a', type = 'http'): this {
    const gap = MINUTE / perMinute;
    let next = this.now + gap;
    for (const end = this.now + minutes * MINUTE; this.now < end; ) {
      this.now += MINUTE / 6;
      for (; next <= this.now; next += gap) this.statistics.record(type, name, 5, false, false, next);
      this.evaluator.evaluate(this.now);
    }
    return this;
  }
}

describe('the rule on missing traffic', () => {
  it('fires when requests stop, once, and resolves when they come again', () => {
    const service = new Service({}).run(60, 10).run(90, 0).run(10, 10);
    expect(service.told).toEqual([
      expect.stringMatching(
        /^65(\.\d+)? firing: No http operation for 5\.\d+ min \(threshold 5 min\), and \d{3} in the last hour$/,
      ),
      expect.stringMatching(/^150(\.\d+)? resolved: There are http operations again$/),
    ]);
  });

  it('is of one operation, whatever the others do', () => {
    const service = new Service({ operation: 'OrdersService.place', withinMinutes: 10 });
    service.run(30, 20, 'OrdersService.place', 'calculation').run(20, 50);
    expect(service.told).toHaveLength(1);
    expect(service.told[0]).toContain('No OrdersService.place operation for 10');
  });

  it('says nothing of a service that has few requests, of none, or of one that has just begun', () => {
    expect(new Service({}).run(300, 0.1).run(300, 0).told).toEqual([]);
    expect(new Service({}).run(120, 0).told).toEqual([]);
    expect(new Service({}).run(5, 10).run(120, 0).told).toEqual([]);
    expect(new Service({ withinMinutes: 30 }).run(60, 0.5).run(29, 0).told).toEqual([]);
  });

  it('fires for fewer requests where it is told to', () => {
    expect(new Service({ minCount: 5 }).run(60, 0.5).run(10, 0).told).toHaveLength(1);
  });

  it.each([
    [{ withinMinutes: 0 }, 'alerts.rules[0].withinMinutes: received 0, expected a number from 1 to 60'],
    [{ minCount: 0.5 }, 'alerts.rules[0].minCount: received 0.5'],
    [{ type: '1' }, 'alerts.rules[0].type: received "1"'],
    [{ threshold: 5 }, 'alerts.rules[0].threshold'],
  ])('refuses %j', (rule, message) => {
    const rules = [{ kind: 'missing_traffic', ...rule } as MissingTrafficRuleOptions];
    expect(() => resolveOptions({ alerts: { rules } })).toThrow(message);
  });
});
