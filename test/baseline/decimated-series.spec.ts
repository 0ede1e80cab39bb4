import { describe, expect, it } from '@jest/globals';
import { DecimatedSeries } from '../../lib/baseline/decimated-series.js';
import { DAY, HOUR, MINUTE, START } from './programs/simulated-windows.js';

describe('DecimatedSeries', () => {
  it('stays within its capacity over months, its periods at most four hours', () => {
    const series = new DecimatedSeries(96);
    for (let at = START; at < START + 60 * DAY; at += 5 * MINUTE) {
      series.add(at, (at - START) / HOUR);
      expect(series.size).toBeLessThanOrEqual(96);
    }
    // Five minutes were doubled as long as they stayed below four hours.
    expect(series.period).toBe(160 * MINUTE);
    const { times, values } = series.points();
    expect(times[95]).toBeGreaterThan(START + 59 * DAY);
    for (let i = 1; i < 96; i++) expect(times[i]).toBeGreaterThan(times[i - 1] as number);
    // What stands at a moment is still what was there at that moment.
    for (let i = 0; i < 96; i++)
      expect(Math.abs(((times[i] as number) - START) / HOUR - (values[i] as number))).toBeLessThan(0.1);
  });

  it('averages a period by weight', () => {
    const series = new DecimatedSeries(8);
    expect(series.add(START, 10, 1)).toBe(false);
    expect(series.add(START + MINUTE, 20, 3)).toBe(false);
    expect(series.size).toBe(0);
    expect(series.add(START + 5 * MINUTE, 50)).toBe(true);
    expect(series.points().values[0]).toBe(17.5);
    expect(series.points().times[0]).toBe(START + 2.5 * MINUTE);
  });

  it('keeps the mean of all that it merged', () => {
    const series = new DecimatedSeries(8);
    for (let at = 0; at <= 8; at++) series.add(START + at * 5 * MINUTE, at);
    series.add(START + 9 * 5 * MINUTE, 9);
    expect(series.period).toBe(10 * MINUTE);
    expect(Array.from(series.points().values.subarray(0, 4))).toEqual([0.5, 2.5, 4.5, 6.5]);
  });

  it('leaves out what is no number or has no weight, and survives clocks that go back', () => {
    const series = new DecimatedSeries(8);
    expect(series.add(START, Number.NaN)).toBe(false);
    expect(series.add(START, 1, 0)).toBe(false);
    expect(series.add(START + 5 * MINUTE, 1)).toBe(false);
    expect(series.add(START - DAY, 3)).toBe(false);
    expect(series.add(START + 10 * MINUTE, 1)).toBe(true);
    expect(Array.from(series.points().values)).toEqual([2]);
    series.clear();
    expect(series.size).toBe(0);
  });

  it('rejects invalid options by name', () => {
    expect(() => new DecimatedSeries(7)).toThrow(
      'Invalid capacity: received 7, expected a whole number of 8 or more',
    );
    expect(() => new DecimatedSeries(8, 1000)).toThrow(
      'Invalid periodMs: received 1000, expected 60000 to 14400000',
    );
  });
});
