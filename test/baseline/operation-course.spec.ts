import { describe, expect, it } from '@jest/globals';
import { SimulatedService } from './simulated-service.js';

describe('the course of an operation', () => {
  it('covers hours in coarse periods and the last ones in fine periods, without a gap or an overlap', () => {
    const service = new SimulatedService({});
    const operation = {
      ...{ name: 'GET /albums', perMinute: 60, part: 'database' as const },
      medianMs: (minute: number) => (minute < 540 ? 20 : 80),
    };
    service.run(600, [operation]);
    const { periods = [], previous } = service.baseline.courseOf('http', 'GET /albums') ?? {};
    expect(previous).toBeUndefined();
    expect(periods.length).toBeGreaterThan(50);
    expect(periods.length).toBeLessThanOrEqual(120);
    for (const [index, { from, to }] of periods.entries()) {
      expect(to).toBeGreaterThan(from);
      expect(from).toBeGreaterThanOrEqual(periods[index - 1]?.to ?? 0);
    }
    const [first] = periods;
    const last = periods.at(-1);
    expect((last?.to ?? 0) - (first?.from ?? 0)).toBeGreaterThan(9 * 3_600_000);
    expect(first?.p50Ms).toBeGreaterThan(15);
    expect(first?.p50Ms).toBeLessThan(25);
    expect(last?.p50Ms).toBeGreaterThan(60);
    // The latest periods say where their time went.
    expect(last?.partsMs?.[0]).toBeGreaterThan(60);
    expect(first?.partsMs).toBeUndefined();
  });

  it('is absent for an operation of which nothing was learned', () => {
    const service = new SimulatedService({});
    expect(service.baseline.courseOf('http', 'GET /albums')).toBeUndefined();
  });
});
