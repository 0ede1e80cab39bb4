import { describe, expect, it } from '@jest/globals';
import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import type { AlertOptions } from '../../lib/alerting/alert-options.js';
import { Alerting } from '../../lib/alerting/alerting.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { Statistics } from '../../lib/statistics/statistics.js';
import { MINUTE, SERVICE, START } from './alerts.js';

const SECOND = 1000;
const NAME = 'GET /orders';

/** A service with real statistics and real rules in simulated time, evaluated every 5 seconds. */
class Service {
  readonly alerts: { state: string; rule: string; second: number; summary: string }[] = [];
  /** What is logged of notifications, repeated ones included. */
  readonly lines: string[] = [];
  private readonly kept: string[] = [];
  private readonly statistics = new Statistics(100);
  private readonly alerting: Alerting;
  private second = 0;

  constructor(options: AlertOptions = {}) {
    const { statistics } = this;
    this.alerting = new Alerting(
      resolveOptions({ alerts: options }).alerts,
      {
        types: () => statistics.types(),
        type: (type, window) => statistics.typeSummary(type, window, this.now),
        operation: (name, window, type) => statistics.operationSummary(name, window, this.now, type),
        failing: (window) => statistics.failing(window, this.now),
        quietMs: (type, name) => statistics.quietMs(type, name, this.now),
        heap: () => ({ used: 10, limit: 100 }),
        eventLoop: () => ({}),
        leaks: () => [],
        regressions: () => [],
        findings: () => [],
      },
      SERVICE,
      ({ state, rule, summary }: PerformanceAlert) =>
        this.alerts.push({ state, rule, summary, second: this.second }),
      (error) => {
        throw error;
      },
    );
    this.alerting.log = (_level, message) => this.lines.push(message);
    this.alerting.onNotified(({ state, rule }) => this.kept.push(`${rule} ${state}`));
  }

  /** So many requests a second for so many seconds; `outcome` says of each whether it fails, and how long it takes. */
  run(
    seconds: number,
    perSecond: number,
    outcome: (index: number) => { error?: boolean; ms?: number },
  ): this {
    let done = 0;
    for (let i = 0; i < seconds; i++, this.second++) {
      for (; done < (i + 1) * perSecond; done++) {
        const { error = false, ms = 10 } = outcome(done);
        this.statistics.record('http', NAME, ms, ms > 100, error, this.now, 100);
        this.alerting.slos.record(NAME, ms, error, 'http');
      }
      if (this.second % 5 === 0) this.alerting.evaluate(START + this.second * SECOND);
    }
    return this;
  }
  idle(seconds: number): this {
    return this.run(seconds, 0, () => ({}));
  }
  get fired(): string[] {
    return this.alerts.filter(({ state }) => state === 'firing').map(({ rule }) => rule);
  }
  /** The notified alerts, which are delivered in a later turn of the event loop. */
  async notified(what: string): Promise<string[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.kept.filter((one) => one.endsWith(what));
  }
  get firing(): number {
    return this.alerting.active().length;
  }
  private get now(): number {
    return this.second * SECOND;
  }
}
const fails = (): { error: boolean } => ({ error: true });
const succeeds = (): { error: boolean } => ({ error: false });
const isSlow = (): { ms: number } => ({ ms: 500 });
const ofTen =
  (bad: number) =>
  (index: number): { error: boolean } => ({ error: index % 10 < bad });

describe('After the traffic has ended', () => {
  it('failures of some seconds page nobody', () => {
    const service = new Service().run(60, 2, succeeds).run(20, 2, fails).idle(600);
    expect(service.fired).toEqual([]);
  });

  it('a share that rises because the older successes leave the window pages nobody', () => {
    const service = new Service().run(55, 2, succeeds).run(15, 2, fails).idle(600);
    expect(service.fired).toEqual([]);
  });

  it('slow requests at the end page nobody once the fast ones have left the window', () => {
    // At the end 2.9 % of 210 are slow; without the first half minute 5.9 %.
    const options = { slowPercentage: { threshold: 5 } };
    const service = new Service(options)
      .run(60, 3, () => ({}))
      .run(10, 3, (index) => (index < 6 ? { ms: 500 } : {}))
      .idle(300);
    expect(service.fired).toEqual([]);
  });

  it('a latency rule stays silent', () => {
    const rules = [{ kind: 'latency', percentile: 'p95', thresholdMs: 200, forSeconds: 30 }] as const;
    const service = new Service({ defaultRules: false, rules: [...rules] })
      .run(60, 2, () => ({}))
      .run(15, 2, isSlow)
      .idle(300);
    expect(service.fired).toEqual([]);
  });

  it('an alert that fires resolves without a percentage of nothing', () => {
    const service = new Service().run(60, 2, fails);
    expect(service.fired).toEqual(['error_rate']);
    service.idle(120);
    expect(service.alerts.map(({ state }) => state)).toEqual(['firing', 'resolved']);
    expect(service.alerts[1]?.summary).toBe('No http operations in the last minute');
    expect(JSON.stringify(service.alerts)).not.toMatch(/% of 0|0 of 0|NaN/);
    expect(service.firing).toBe(0);
  });

  it('a latency alert that fires resolves', () => {
    const rules = [{ kind: 'latency', percentile: 'p95', thresholdMs: 200 }] as const;
    const service = new Service({ defaultRules: false, rules: [...rules] }).run(60, 2, isSlow).idle(120);
    expect(service.alerts.map(({ state }) => state)).toEqual(['firing', 'resolved']);
    expect(JSON.stringify(service.alerts)).not.toMatch(/of 0|NaN/);
  });

  it.each([5, 10, 20])('no error budget pages after %i minutes of failures', (minutes) => {
    const slos = [{ operation: NAME, objective: 0.999 }];
    const service = new Service({ defaultRules: false, slos })
      .run(3600, 0.2, succeeds)
      .run(minutes * 60, 0.2, (index) => ({ error: index % 100 === 0 }));
    const before = service.fired.length;
    service.idle(7 * 3600);
    expect(service.fired.length).toBe(before);
  });

  it('an error budget does not page because the time with data has become long enough', () => {
    const slos = [{ operation: NAME, objective: 0.99 }];
    const service = new Service({ defaultRules: false, slos }).run(300, 1, ofTen(1));
    const atTheEnd = [...service.fired];
    service.idle(8 * 3600);
    expect(service.fired).toEqual(atTheEnd);
  });

  it('an alert that still fires is not repeated, also when a silence ends', async () => {
    const slos = [{ operation: NAME, objective: 0.999 }];
    const silences = [{ until: new Date(START + 20 * MINUTE) }];
    const loud = new Service({ defaultRules: false, slos, repeatIntervalSeconds: 600 });
    loud.run(600, 1, fails);
    const before = loud.lines.length;
    expect(before).toBeGreaterThan(0);
    loud.idle(3000);
    expect(loud.lines).toHaveLength(before);
    const silenced = new Service({ defaultRules: false, slos, silences }).run(600, 1, fails).idle(1800);
    expect(silenced.fired.length).toBeGreaterThan(0);
    expect(await silenced.notified('')).toEqual([]);
  });
});

describe('While there is traffic', () => {
  it('failures page after half a minute', () => {
    const service = new Service().run(60, 2, succeeds).run(90, 2, fails);
    expect(service.fired).toEqual(['error_rate']);
  });

  it('failures of a service with 20 requests a minute page', () => {
    const service = new Service().run(240, 0.35, fails);
    expect(service.fired).toEqual(['error_rate']);
  });

  it('failures of a batch that runs every minute page with the next batch', () => {
    const service = new Service();
    for (let i = 0; i < 4; i++) service.run(5, 8, fails).idle(55);
    expect(service.fired).toContain('error_rate');
  });

  it('slow requests page at once', () => {
    const service = new Service().run(20, 3, isSlow);
    expect(service.fired).toContain('slow_percentage');
  });

  it('an error budget pages for one request a minute', () => {
    const slos = [{ operation: NAME, objective: 0.999 }];
    const service = new Service({ defaultRules: false, slos })
      .run(3600, 1 / 60, succeeds)
      .run(1800, 1 / 60, fails);
    expect(service.fired).toContain('slo_burn_fast');
  });

  it('an alert is repeated', () => {
    const slos = [{ operation: NAME, objective: 0.999 }];
    const service = new Service({ defaultRules: false, slos, repeatIntervalSeconds: 600 }).run(
      3000,
      1,
      fails,
    );
    expect(service.lines.filter((line) => line.includes('slo_burn_fast')).length).toBeGreaterThan(3);
  });

  it('an alert is notified when its silence ends', async () => {
    const slos = [{ operation: NAME, objective: 0.999 }];
    const silences = [{ until: new Date(START + 10 * MINUTE) }];
    const service = new Service({ defaultRules: false, slos, silences }).run(900, 1, fails);
    expect(await service.notified('slo_burn_fast firing')).toHaveLength(1);
  });
});
