import { describe, expect, it } from '@jest/globals';
import type { SloOptions } from '../../lib/alerting/alert-options.js';
import { SloCounters } from '../../lib/alerting/slo-counters.js';
import { SloRing } from '../../lib/alerting/slo-ring.js';
import { MINUTE, START } from './alerts.js';

const HOUR = 60 * MINUTE;
const slos: SloOptions[] = [{ operation: 'GET /a', objective: 0.99, thresholdMs: 100 }];

describe('SloCounters', () => {
  it('counts what failed or took too long, and nothing of other operations', () => {
    const counters = new SloCounters(slos);
    counters.record('GET /a', 100, false);
    counters.record('GET /a', 101, false);
    counters.record('GET /a', 5, true);
    counters.record('GET /a', Number.POSITIVE_INFINITY, true);
    counters.record('GET /b', 5000, true);
    const [burn] = counters.burnRates(START);
    expect(burn).toMatchObject({ slo: 'GET /a', operation: 'GET /a', objective: 0.99, thresholdMs: 100 });
    expect(burn?.windows['5m']).toEqual({ total: 4, bad: 3, rate: expect.closeTo(75) });
    expect(burn?.budgetRemaining).toBeCloseTo(-74);
    expect(burn?.coveredMinutes).toBe(1);
  });

  it('keeps objectives of one operation apart, by type and threshold', () => {
    const counters = new SloCounters([
      { name: 'fast', operation: 'load', objective: 0.9, thresholdMs: 10 },
      { name: 'works', operation: 'load', objective: 0.99 },
      { name: 'jobs', operation: 'load', type: 'job', objective: 0.99, thresholdMs: 10 },
    ]);
    counters.record('load', 50, false, 'http');
    counters.record('load', 50, true, 'job');
    expect(counters.size).toBe(3);
    expect(
      counters.burnRates(START).map(({ slo, windows }) => [slo, windows['1h'].total, windows['1h'].bad]),
    ).toEqual([
      ['fast', 2, 2],
      ['works', 2, 1],
      ['jobs', 1, 1],
    ]);
  });

  it('gives each objective back its own, whichever were there before and between', () => {
    const named = (...names: string[]): SloOptions[] =>
      names.map((name, place) => ({
        name,
        operation: 'GET /a',
        objective: 0.9 + place / 100,
        thresholdMs: 9,
      }));
    const twins = new SloCounters(named('page', 'ticket'));
    twins.record('GET /a', 10, false);
    twins.turn(START);
    const again = new SloCounters(named('page', 'ticket'));
    expect(again.restore(JSON.parse(JSON.stringify(twins)), START)).toBe(true);
    expect(again.burnRates(START).map(({ windows }) => windows['1h'].total)).toEqual([1, 1]);
    const three = new SloCounters(['a', 'b', 'c'].map((operation) => ({ operation, objective: 0.9 })));
    three.record('c', 10, true);
    three.turn(START);
    const last = new SloCounters([{ operation: 'c', objective: 0.9 }]);
    last.restore(JSON.parse(JSON.stringify(three)), START);
    expect(last.burnRates(START)[0]?.windows['1h'].bad).toBe(1);
  });

  it('has no rate without operations', () => {
    const [burn] = new SloCounters(slos).burnRates(START);
    expect(burn?.windows['3d']).toEqual({ total: 0, bad: 0 });
    expect(burn).not.toHaveProperty('budgetRemaining');
  });

  it('drops counts that have left its windows', () => {
    const counters = new SloCounters(slos);
    counters.record('GET /a', 500, false);
    counters.turn(START);
    const bad = (now: number) => {
      const windows = counters.burnRates(now)[0]?.windows;
      return windows && [windows['5m'].bad, windows['1h'].bad, windows['6h'].bad, windows['3d'].bad];
    };
    expect(bad(START)).toEqual([1, 1, 1, 1]);
    expect(bad(START + 6 * MINUTE)).toEqual([0, 1, 1, 1]);
    expect(bad(START + 61 * MINUTE)).toEqual([0, 0, 1, 1]);
    expect(bad(START + 7 * HOUR)).toEqual([0, 0, 0, 1]);
    expect(bad(START + 74 * HOUR)).toEqual([0, 0, 0, 0]);
  });

  it('goes on after a restart as if there had been none', () => {
    const [one, two] = [new SloCounters(slos), new SloCounters(slos)];
    for (let i = 0; i < 5000; i++) {
      one.record('GET /a', 1, i % 100 === 0);
      one.turn(START + i * MINUTE);
    }
    const later = START + 4999 * MINUTE;
    const saved = JSON.stringify(one);
    expect(saved.length).toBeLessThan(8000);
    expect(two.restore(JSON.parse(saved), later)).toBe(true);
    expect(two.burnRates(later)).toEqual(one.burnRates(later));
    two.record('GET /a', 1, true);
    expect(two.burnRates(later)[0]?.windows['5m']).toMatchObject({ total: 7, bad: 1 });
  });

  it('drops counts that have left its windows during a long pause', () => {
    const [one, two, three] = [new SloCounters(slos), new SloCounters(slos), new SloCounters(slos)];
    one.record('GET /a', 1, true);
    one.turn(START);
    const saved: unknown = JSON.parse(JSON.stringify(one));
    two.restore(saved, START + 10 * HOUR);
    expect(two.burnRates(START + 10 * HOUR)[0]).toMatchObject({
      coveredMinutes: 601,
      windows: { '6h': { bad: 0 }, '3d': { bad: 1 } },
    });
    three.restore(saved, START + 100 * HOUR);
    expect(three.burnRates(START + 100 * HOUR)[0]?.windows['3d'].total).toBe(0);
  });

  it('takes over what still counts the same, whatever the objective is now', () => {
    const one = new SloCounters([...slos, { operation: 'GET /b', objective: 0.9 }]);
    for (const operation of ['GET /a', 'GET /b']) one.record(operation, 1, true);
    one.turn(START);
    const two = new SloCounters([
      { operation: 'GET /a', objective: 0.99, thresholdMs: 200 },
      { name: 'b', operation: 'GET /b', objective: 0.999 },
    ]);
    two.restore(JSON.parse(JSON.stringify(one)), START);
    expect(two.burnRates(START).map(({ windows }) => windows['1h'].total)).toEqual([0, 1]);
  });

  const ring = { operation: 'GET /a', thresholdMs: 100, firstMinute: 1, minutes: [], hours: [] };
  const minute = START / MINUTE;
  it.each<[string, unknown, boolean]>([
    ['nothing', undefined, false],
    ['another version', { version: 2, slos: [] }, false],
    ['no list', { version: 1, slos: {} }, false],
    ['things that are none', { version: 1, slos: [null, 3, 'a'] }, true],
    ['buckets that are none', { version: 1, slos: [{ ...ring, minutes: [null, 'a', [1]], hours: 7 }] }, true],
    ['more bad ones than there were', { version: 1, slos: [{ ...ring, minutes: [[minute, 1, 2]] }] }, true],
    ['negative counts', { version: 1, slos: [{ ...ring, minutes: [[minute, -5, -6]] }] }, true],
    ['fractions', { version: 1, slos: [{ ...ring, minutes: [[minute, 1.5, 0.5]] }] }, true],
    ['the future', { version: 1, slos: [{ ...ring, minutes: [[minute + 5, 10, 1]] }] }, true],
    ['the distant past', { version: 1, slos: [{ ...ring, minutes: [[minute - 361, 10, 1]] }] }, true],
  ])('passes over %s', (_what, saved, isFormat) => {
    const counters = new SloCounters(slos);
    expect(counters.restore(saved, START)).toBe(isFormat);
    expect(counters.burnRates(START)[0]?.windows['6h']).toEqual({ total: 0, bad: 0 });
  });
});

describe('SloRing', () => {
  it('continues if the clock is set back a little, and starts over if it is set back further', () => {
    const ring = new SloRing();
    ring.add(1, 1, START);
    ring.add(1, 0, START - 5 * MINUTE);
    expect(ring.sum(5)).toEqual({ total: 2, bad: 1 });
    ring.add(1, 0, START - 24 * HOUR);
    expect(ring.sum(5)).toEqual({ total: 1, bad: 0 });
    expect(ring.coveredMinutes).toBe(1);
  });

  it('does not overflow', () => {
    const ring = new SloRing();
    for (let i = 0; i < 3; i++) ring.add(0xffff_ffff, 1, START);
    expect(ring.sum(5)).toEqual({ total: 0xffff_ffff, bad: 3 });
  });
});
