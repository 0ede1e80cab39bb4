import { describe, expect, it } from '@jest/globals';
import type { Trend } from '../../lib/baseline/trend.js';
import { TrendDetector } from '../../lib/baseline/trend-detector.js';
import { isStep } from '../../lib/baseline/trend-shape.js';
import { type Line, theilSen } from '../../lib/inference/theil-sen.js';
import { DAY, HOUR, MINUTE, randomOf, START } from './programs/simulated-windows.js';

const SUBJECT = { kind: 'operation', type: 'http', name: 'GET /orders' } as const;

/** The trend at the end, and how often there was one. */
function watch(
  value: (hours: number) => number,
  hours: number,
  { seed = 1, noise = 3, limit = Number.NaN } = {},
) {
  const random = randomOf(seed);
  const detector = new TrendDetector(SUBJECT, 'ms');
  let times = 0;
  for (let at = 0; at < hours * HOUR; at += 2 * MINUTE) {
    const isNew = detector.add(
      START + at,
      value(at / HOUR) + noise * random.normal(),
      30,
      Number.isNaN(limit) ? undefined : limit,
    );
    if (isNew && detector.trend !== undefined) times++;
  }
  return { trend: detector.trend, times, detector };
}

describe('isStep', () => {
  const hours = Float64Array.from({ length: 40 }, (_, hour) => hour);
  const isStepOf = (value: (hour: number) => number): boolean => {
    const random = randomOf(3);
    const values = hours.map((hour) => value(hour) + 3 * random.normal());
    return isStep(hours, values, theilSen(hours, values) as Line);
  };

  it('is what two levels fit better than a line, wherever it lies', () => {
    for (const at of [5, 20, 35]) expect(isStepOf((hour) => (hour < at ? 100 : 140))).toBe(true);
  });

  it('is no drift, steady or in several steps', () => {
    expect(isStepOf((hour) => 100 + hour)).toBe(false);
    expect(isStepOf((hour) => 100 + 10 * Math.floor(hour / 8))).toBe(false);
    expect(isStepOf((hour) => 100 + (hour * hour) / 40)).toBe(false);
  });
});

describe('TrendDetector', () => {
  it('finds a rise over hours, and forecasts when it reaches a limit', () => {
    const { trend } = watch((hours) => 100 + 5 * hours, 12, { limit: 200 });
    const found = trend as Trend;
    expect(found.slopePerHour).toBeCloseTo(5, 0);
    expect(found.interval[0]).toBeLessThan(5.2);
    expect(found.interval[1]).toBeGreaterThan(4.8);
    expect(found.pValue).toBeLessThan(1e-4);
    expect(Math.abs((found.forecast?.reachedAt as number) - START - 20 * HOUR)).toBeLessThan(HOUR);
    expect(found.explanation).toMatch(/^The latency of GET \/orders is rising slowly: 10\d ms -> 1\d\d ms/);
    expect(found.explanation).toContain('At this rate it reaches 200 ms at');
  });

  it('reports a continuing trend once, whenever it began', () => {
    for (let seed = 1; seed <= 120; seed++) {
      const random = randomOf(seed);
      const detector = new TrendDetector(SUBJECT, 'ms', { capacity: 40 });
      let begun = 0;
      let had = false;
      for (let at = 0; at < 10 * HOUR; at += MINUTE) {
        const value = (100 + (30 * at) / HOUR) * Math.exp(0.1 * random.normal());
        detector.add(START + seed * 11 * MINUTE + at, value, 60);
        if (!had && detector.trend !== undefined) begun++;
        had = detector.trend !== undefined;
      }
      expect([seed, begun, had]).toEqual([seed, 1, true]);
    }
  });

  it('finds a drift over days under the hours of the day', () => {
    const { trend } = watch((hours) => 100 + hours / 4 + 20 * Math.sin((2 * Math.PI * hours) / 24), 6 * 24);
    expect(trend?.slopePerHour).toBeCloseTo(0.25, 1);
    expect(trend?.forecast).toBeUndefined();
  });

  it('foretells nothing that is passed or too far away', () => {
    expect(watch((hours) => 100 + 5 * hours, 12, { limit: 120 }).trend?.forecast).toBeUndefined();
    expect(watch((hours) => 100 + 5 * hours, 12, { limit: 5000 }).trend?.forecast).toBeUndefined();
    expect(watch((hours) => 100 + 5 * hours, 12).trend?.forecast).toBeUndefined();
  });

  it.each([
    ['noise', () => 100, 96],
    ['a fall', (hours: number) => 200 - hours, 96],
    ['a step', (hours: number) => (hours < 12 ? 100 : 150), 24],
    ['the hours of the day', (hours: number) => 100 + 30 * Math.sin((2 * Math.PI * hours) / 24), 7 * 24],
    ['a growth of a twentieth', (hours: number) => 100 + hours / 10, 48],
    ['too little time', (hours: number) => 100 + 30 * hours, 2.5],
  ])('is silent of %s', (_, value, hours) => {
    for (let seed = 2; seed < 5; seed++) expect(watch(value, hours, { seed }).trend).toBeUndefined();
  });

  it('reports nothing for noise that is nearly as great as the values', () => {
    for (let seed = 2; seed < 22; seed++) expect(watch(() => 100, 8, { seed, noise: 80 }).times).toBe(0);
  });

  it('reports nothing for a step, however late it comes', () => {
    for (const at of [6, 12, 18])
      expect(watch((hours) => (hours < at ? 100 : 180), 24, { seed: at, noise: 10 }).times).toBe(0);
  });

  it('reports nothing for a rise that levels off, as a cache that fills', () => {
    const filling = (hours: number): number => 100 + 80 * (1 - Math.exp(-hours / 6));
    for (const end of [22, 24, 26]) expect(watch(filling, end).trend).toBeUndefined();
  });

  it('ends a trend that has levelled off', () => {
    const { trend, times } = watch((hours) => 100 + 60 * (1 - Math.exp(-hours / 4)), 36);
    expect(trend).toBeUndefined();
    expect(times).toBeGreaterThan(0);
  });

  it('discards its series when cleared', () => {
    const { detector } = watch((hours) => 100 + 5 * hours, 12);
    detector.clear();
    expect(detector.trend).toBeUndefined();
    expect(detector.series.size).toBe(0);
  });

  it('rejects invalid options by name', () => {
    expect(() => new TrendDetector(SUBJECT, 'ms', { minGrowth: 0 })).toThrow(
      'Invalid minGrowth: received 0, expected a number above 0',
    );
    expect(() => new TrendDetector(SUBJECT, 'ms', { maxPValue: 1 })).toThrow('Invalid maxPValue: received 1');
  });

  it('formats bytes and shares', () => {
    const detector = new TrendDetector({ kind: 'resource', name: 'rss' }, 'bytes');
    for (let at = 0; at < 2 * DAY; at += 5 * MINUTE) detector.add(START + at, 1e8 + at / 3);
    expect(detector.trend?.explanation).toMatch(
      /^The memory of the process \(RSS\) is rising slowly: 9\d\.\d MB -> 14\d MB/,
    );
  });
});
