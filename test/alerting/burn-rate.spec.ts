import { describe, expect, it } from '@jest/globals';
import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import { AlertEvaluator } from '../../lib/alerting/alert-evaluator.js';
import type { SloOptions } from '../../lib/alerting/alert-options.js';
import {
  BURN_POLICIES,
  type BurnCount,
  chanceOf,
  chanceOfFewer,
  factorFor,
} from '../../lib/alerting/burn-rate.js';
import { burnRateRules } from '../../lib/alerting/burn-rate-rules.js';
import { SloCounters } from '../../lib/alerting/slo-counters.js';
import { MINUTE, START } from './alerts.js';

/** Random numbers from a seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The alerts of a service in simulated time, with their minute. */
class Service {
  readonly told: (PerformanceAlert & { minute: number })[] = [];
  private readonly counters: SloCounters;
  private readonly evaluator: AlertEvaluator;
  private minute = 0;

  constructor(slo: Partial<SloOptions> = {}) {
    const slos = [{ operation: 'GET /orders', objective: 0.999, thresholdMs: 300, ...slo }];
    this.counters = new SloCounters(slos);
    const rules = burnRateRules(slos, { burnRates: (now) => this.counters.burnRates(now) });
    this.evaluator = new AlertEvaluator(rules, (alert) => this.told.push({ ...alert, minute: this.minute }));
  }

  /** So many minutes with so many requests each, of which `isBad` says which are bad. */
  run(minutes: number, perMinute: number, isBad: (index: number) => boolean): this {
    for (let i = 0; i < minutes; i++, this.minute++) {
      for (let j = 0; j < perMinute; j++)
        this.counters.record('GET /orders', isBad(i * perMinute + j) ? 301 : 10, false);
      this.evaluator.evaluate(START + this.minute * MINUTE);
    }
    return this;
  }

  get states(): string[] {
    return this.told.map(({ rule, state, minute }) => `${minute} ${rule} ${state}`);
  }
  get pages(): number {
    return this.told.filter(({ state, severity }) => state === 'firing' && severity === 'critical').length;
  }
}
const never = (): boolean => false;
const always = (): boolean => true;
const every =
  (count: number) =>
  (index: number): boolean =>
    index % count === count - 1;
const DAY = 1440;

describe('rules on an error budget', () => {
  it('page within minutes of an outage of a service with 60 requests an hour, and are over soon after it', () => {
    const service = new Service().run(DAY, 1, never).run(30, 1, always);
    expect(service.states[0]).toBe(`${DAY + 3} slo_burn_fast firing`);
    expect(service.told[0]).toMatchObject({
      severity: 'critical',
      subject: 'GET /orders',
      unit: 'ratio',
      threshold: 14.4,
      labels: { slo: 'GET /orders', operation: 'GET /orders', long_window: '1h', short_window: '5m' },
      summary: expect.stringMatching(
        /^GET \/orders: 4 of 61 operations failed or exceeded 300 ms in 1h, 65.6 times the rate that the objective of 99.9 % allows; -?\d+ % of the 3-day error budget/,
      ),
    });
    service.run(60, 1, never);
    const resolved = service.told.filter(({ state }) => state === 'resolved');
    expect(resolved.map(({ rule }) => rule)).toEqual(['slo_burn_fast', 'slo_burn_medium']);
    expect(service.pages).toBe(2);
  });

  it.each<[string, number, number, number]>([
    ['10 % bad at 1,200 an hour', 20, 10, 10],
    ['100 % bad at 1,200 an hour', 20, 1, 1],
    ['5 % bad at 12,000 an hour', 200, 20, 18],
  ])('page for %s', (_what, perMinute, oneIn, within) => {
    const service = new Service().run(DAY, perMinute, never).run(within, perMinute, every(oneIn));
    expect(service.told.map(({ rule }) => rule)).toContain('slo_burn_fast');
  });

  it('page later for what burns slower, and warn of what burns for days', () => {
    expect(new Service().run(DAY, 20, never).run(300, 20, every(100)).told[0]?.rule).toBe('slo_burn_medium');
    const slow = new Service().run(3 * DAY, 20, never).run(3 * DAY, 20, every(400));
    expect(slow.told.map(({ rule, severity }) => [rule, severity])).toEqual([['slo_burn_slow', 'warning']]);
  });

  it.each<[string, number, (index: number) => boolean]>([
    ['one bad request', 1, (index) => index === 700],
    ['three bad requests within six hours, at 60 an hour', 1, (index) => [700, 800, 900].includes(index)],
    ['three bad requests in a row, at 60 an hour', 1, (index) => index >= 700 && index < 703],
    ['a bad one in a thousand, which is what is allowed', 1, every(1000)],
    ['a bad one in two thousand, with more requests', 20, every(2000)],
    ['nothing bad', 20, never],
  ])('are silent about %s', (_what, perMinute, isBad) => {
    expect(new Service().run(3 * DAY, perMinute, isBad).states).toEqual([]);
  });

  it.each([0.0001, 0.0005, 0.001])('never page in ten days in which %d is bad by chance', (share) => {
    for (const seed of [1, 2]) {
      const chance = random(seed);
      expect(new Service().run(5 * DAY, 1, () => chance() < share).pages).toBe(0);
    }
  });

  it('do not flap over an outage in part with little traffic', () => {
    const chance = random(5);
    const service = new Service().run(DAY, 1, never).run(DAY, 1, () => chance() < 0.1);
    expect(service.pages).toBeGreaterThanOrEqual(2);
    expect(service.pages).toBeLessThanOrEqual(4);
  });

  it('say nothing of the days before there were figures', () => {
    expect(new Service().run(1, 2, always).states).toEqual([]);
    expect(new Service().run(29, 20, every(100)).states).toEqual([]);
    expect(new Service().run(359, 20, every(400)).states).toEqual([]);
  });

  it('page for a modest objective, too, where the factor cannot be reached', () => {
    const service = new Service({ objective: 0.9 }).run(DAY, 20, never).run(60, 20, always);
    expect(service.told[0]).toMatchObject({ rule: 'slo_burn_fast', threshold: 5 });
    expect(new Service({ objective: 0.9 }).run(2 * DAY, 20, every(10)).states).toEqual([]);
    const fast = BURN_POLICIES[0] as (typeof BURN_POLICIES)[number];
    expect(
      [0.5, 0.9, 0.99, 0.9999].map((objective) => Math.round(factorFor(fast, objective) * 10) / 10),
    ).toEqual([1, 5, 14.4, 14.4]);
  });

  it('are none without objectives', () => {
    expect(burnRateRules([], { burnRates: () => [] })).toEqual([]);
  });
});

describe('what may be chance', () => {
  // Sums of the binomial distribution, computed term by term.
  const upper = (total: number, bad: number, share: number): number => {
    let sum = 0;
    let term = (1 - share) ** total;
    for (let i = 0; i <= total; i++) {
      if (i >= bad) sum += term;
      term *= ((total - i) / (i + 1)) * (share / (1 - share));
    }
    return sum;
  };

  const none = { total: 0, bad: 0 };
  const policy = { short: '5m', long: '1h' } as const;
  const fewerOf = (short: BurnCount, halfHour: BurnCount) =>
    chanceOfFewer(policy, {
      '5m': short,
      '30m': halfHour,
      '1h': { total: 1000, bad: 1 },
      '6h': { total: 10, bad: 10 },
      '3d': none,
    });

  it.each([
    [60, 4, 0.999],
    [361, 3, 0.999],
    [361, 7, 0.999],
    [10, 10, 0.9],
    [50, 1, 0.99],
  ])('is exact: %d requests, %d bad, objective %d', (total, bad, objective) => {
    const exact = upper(total, bad, 1 - objective);
    expect(chanceOf({ total, bad }, objective) / exact).toBeCloseTo(1, 6);
    const fewer = 1 - upper(total, bad + 1, 0.05);
    if (bad < total) expect(fewerOf({ total, bad }, { total: 1000, bad: 50 })).toBeCloseTo(fewer, 9);
  });

  it('is 1 without bad operations', () => {
    expect(chanceOf({ total: 0, bad: 0 }, 0.999)).toBe(1);
    expect(chanceOf({ total: 100, bad: 0 }, 0.999)).toBe(1);
    expect(fewerOf({ total: 0, bad: 0 }, { total: 10, bad: 1 })).toBe(1);
    expect(chanceOf({ total: 1e9, bad: 2e6 }, 0.999)).toBeLessThan(1e-300);
  });
});
