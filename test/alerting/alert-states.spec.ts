import { describe, expect, it } from '@jest/globals';
import type { AlertRule, PerformanceAlert, RuleReading } from '../../lib/alerting/alert.js';
import { AlertEvaluator, MAX_EPISODES } from '../../lib/alerting/alert-evaluator.js';
import { Flapping } from '../../lib/alerting/flapping.js';

const SECOND = 1000;
const MINUTE = 60_000;

/** A rule on a figure, evaluated at given seconds. */
function watch(over: Partial<AlertRule> = {}) {
  let readings: RuleReading[] = [];
  const told: PerformanceAlert[] = [];
  const errors: unknown[] = [];
  const rule: AlertRule = {
    name: 'rule',
    severity: 'warning',
    unit: '%',
    threshold: 10,
    resolveBelow: 8,
    forMs: 0,
    keepFiringMs: 0,
    labels: { team: 'shop' },
    read: () => readings,
    describe: ({ value }) => `${value}`,
    ...over,
  };
  const evaluator = new AlertEvaluator(
    [rule],
    (alert) => told.push(alert),
    (error) => errors.push(error),
  );
  return {
    evaluator,
    told,
    errors,
    /** The value at that second; nothing: no reading. */
    at(second: number, value?: number, also: Partial<RuleReading> = {}): void {
      readings = value === undefined ? [] : [{ subject: 'http', value, ...also }];
      evaluator.evaluate(second * SECOND);
    },
    get states(): string[] {
      return told.map(({ state, timestamp }) => `${timestamp / SECOND} ${state}`);
    },
  };
}

describe('a clock that is set back', () => {
  it('makes nothing wait for as long', () => {
    const watched = watch({ forMs: 30 * SECOND, keepFiringMs: 60 * SECOND });
    watched.at(100_000, 20);
    watched.at(1000, 20);
    watched.at(1030, 20);
    expect(watched.states).toEqual(['1030 firing']);
    watched.at(1040, 0);
    watched.at(10, 0);
    watched.at(70, 0);
    expect(watched.states).toEqual(['1030 firing', '70 resolved']);
  });
});

describe('hold times', () => {
  it('is pending until its condition has held for long enough', () => {
    const watched = watch({ forMs: 30 * SECOND });
    watched.at(0, 20);
    watched.at(29, 20);
    expect(watched.states).toEqual([]);
    expect(watched.evaluator.active()).toEqual([]);
    expect(watched.evaluator.openAlerts()).toEqual([
      { rule: 'rule', subject: 'http', state: 'pending', since: 0 },
    ]);
    watched.at(30, 20);
    expect(watched.states).toEqual(['30 firing']);
    expect(watched.evaluator.openAlerts()).toEqual([
      { rule: 'rule', subject: 'http', state: 'firing', since: 0, firedAt: 30_000 },
    ]);
  });

  it.each<[string, number | undefined]>([
    ['falls to the threshold', 10],
    ['is gone', undefined],
  ])('says nothing of what %s before its time, and begins anew', (_what, between) => {
    const watched = watch({ forMs: 30 * SECOND });
    watched.at(0, 20);
    watched.at(20, between);
    expect(watched.evaluator.openAlerts()).toEqual([]);
    watched.at(25, 20);
    watched.at(54, 20);
    expect(watched.states).toEqual([]);
  });

  it('is resolved once its condition was gone for long enough', () => {
    const watched = watch({ keepFiringMs: 60 * SECOND });
    watched.at(0, 20);
    watched.at(10, 1);
    watched.at(40, 9);
    watched.at(50, 1);
    watched.at(109);
    expect(watched.states).toEqual(['0 firing']);
    watched.at(110);
    expect(watched.states).toEqual(['0 firing', '110 resolved']);
    expect(watched.told[1]).toMatchObject({ value: 0, summary: 'rule (http) no longer holds', firedAt: 0 });
  });

  it('has labels of the rule and of the last reading, also once it is resolved', () => {
    const watched = watch();
    watched.at(0, 20, { labels: { type: 'http' } });
    watched.at(1);
    expect(watched.told.map(({ labels }) => labels)).toEqual([
      { team: 'shop', type: 'http' },
      { team: 'shop', type: 'http' },
    ]);
  });

  it.each<[string, number[], string[]]>([
    ['keeps between its limits', [11, 8.1, 9.9, 8.1], ['0 firing']],
    ['does not begin between them', [9.9, 8.1, 10], []],
    ['ends at the lower one', [11, 8], ['0 firing', '1 resolved']],
  ])('%s', (_what, values, states) => {
    const watched = watch();
    for (const [second, value] of values.entries()) watched.at(second, value);
    expect(watched.states).toEqual(states);
  });

  it('goes by the limits of a reading that has its own', () => {
    const watched = watch();
    const limits = { threshold: 2, resolveBelow: 1 };
    watched.at(0, 3, { limits });
    watched.at(1, 1.5, { limits });
    watched.at(2, 1, { limits });
    expect(watched.states).toEqual(['0 firing', '2 resolved']);
    expect(watched.told[0]?.threshold).toBe(2);
  });

  it('neither begins nor ends for what may be chance', () => {
    const watched = watch();
    watched.at(0, 20, { isWithinNoise: true });
    watched.at(1, 20);
    watched.at(2, 0, { isWithinNoise: true });
    watched.at(3, 0);
    expect(watched.states).toEqual(['1 firing', '3 resolved']);
  });

  it('stays as it is while a rule cannot be read', () => {
    let broken = false;
    const watched = watch({
      read: () => {
        if (broken) throw new Error('no figures');
        return [{ subject: 'http', value: 20 }];
      },
    });
    watched.evaluator.evaluate(0);
    broken = true;
    watched.evaluator.evaluate(SECOND);
    expect(watched.errors).toHaveLength(1);
    expect(watched.states).toEqual(['0 firing']);
    expect(watched.evaluator.active()).toHaveLength(1);
  });
});

describe('flapping', () => {
  const flaps = (times: number, everyMinutes: number) => {
    const watched = watch();
    for (let i = 0; i < times; i++) {
      watched.at(i * everyMinutes * 60, 20);
      watched.at(i * everyMinutes * 60 + 10, 1);
    }
    return watched;
  };

  it('holds what fires for the fourth time within an hour until it was quiet for ten minutes', () => {
    const watched = flaps(4, 5);
    expect(watched.states).toHaveLength(7);
    expect(watched.told.map(({ flapping }) => flapping ?? false)).toEqual([
      ...Array.from({ length: 6 }, () => false),
      true,
    ]);
    const quietAt = 15 * 60 + 10;
    watched.at(quietAt + 599, 1);
    expect(watched.states).toHaveLength(7);
    watched.at(quietAt + 600, 1);
    expect(watched.told[7]).toMatchObject({ state: 'resolved', flapping: true });
  });

  it('emits nine alerts for twenty changes in twenty minutes', () => {
    const watched = watch();
    for (let i = 0; i < 20; i++) watched.at(i * 60, i % 2 === 0 ? 20 : 1);
    expect(watched.told.length).toBeLessThan(9);
    expect(watched.evaluator.active()).toHaveLength(1);
  });

  it('lets alone what fires three times within an hour, or four times in more', () => {
    expect(flaps(3, 5).told.some(({ flapping }) => flapping)).toBe(false);
    expect(flaps(6, 21).told.some(({ flapping }) => flapping)).toBe(false);
  });

  it('drops the alert that has not fired for the longest time beyond its bound', () => {
    const flapping = new Flapping(10);
    for (let i = 0; i < 3; i++) flapping.fired('first', i);
    for (let i = 0; i < 100; i++) flapping.fired(`${i}`, MINUTE);
    expect(flapping.size).toBe(10);
    expect(flapping.fired('first', MINUTE)).toBe(false);
    expect(flapping.size).toBe(10);
  });
});

describe('many at once', () => {
  const readings = (count: number, value = 20, from = 0): RuleReading[] =>
    Array.from({ length: count }, (_, index) => ({ subject: `GET /${index + from}`, value }));

  it('keeps 1,000 episodes, counts what is beyond them, and has room again when some end', () => {
    let given = readings(MAX_EPISODES + 50);
    const watched = watch({ read: () => given });
    watched.evaluator.evaluate(0);
    expect(watched.evaluator.active()).toHaveLength(MAX_EPISODES);
    expect(watched.told).toHaveLength(MAX_EPISODES);
    expect(watched.evaluator.dropped).toBe(50);
    given = readings(MAX_EPISODES, 20, 10);
    watched.evaluator.evaluate(1);
    watched.evaluator.evaluate(2);
    expect(watched.evaluator.active()).toHaveLength(MAX_EPISODES);
    given = [];
    watched.evaluator.evaluate(3);
    expect(watched.evaluator.openAlerts()).toEqual([]);
    expect(new Set(watched.told.map(({ id }) => id)).size).toBe(watched.told.length / 2);
  });

  it('rests between rules and within one of many readings', () => {
    const told: string[] = [];
    const rule = (name: string, count: number): AlertRule => ({
      name,
      severity: 'warning',
      unit: '%',
      threshold: 10,
      resolveBelow: 8,
      forMs: 0,
      keepFiringMs: 0,
      labels: {},
      read: () => readings(count),
      describe: () => '',
    });
    const evaluator = new AlertEvaluator([rule('few', 3), rule('many', 500)], ({ rule: name }) =>
      told.push(name),
    );
    let most = 0;
    let before = 0;
    let rests = 0;
    for (const _ of evaluator.slices(0)) {
      most = Math.max(most, told.length - before);
      before = told.length;
      rests++;
    }
    expect(told).toHaveLength(503);
    expect(most).toBeLessThanOrEqual(50);
    expect(rests).toBeGreaterThan(10);
  });
});
