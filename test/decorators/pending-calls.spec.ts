import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { MAX_UNCLAIMED } from '../../lib/nest/decorators/promise-outcome.js';
import { TrackPerformance } from '../../lib/nest/decorators/track-performance.decorator.js';
import { startTracing, type TestTracing } from '../support/tracing.js';

const FAN_OUT = 1500;
const BEYOND = 5;

describe('many calls of a measured method whose promises nobody waits for yet', () => {
  let tracing: TestTracing;
  let settle: (() => void)[];
  let work: Work;

  class Work {
    @TrackPerformance('calculation')
    pending(): Promise<void> {
      return new Promise((resolve) => settle.push(resolve));
    }

    @TrackPerformance('calculation')
    async *rows(): AsyncGenerator<number> {
      await new Promise<void>((resolve) => settle.push(resolve));
      yield 1;
    }
  }

  beforeEach(() => {
    tracing = startTracing();
    settle = [];
    work = new Work();
  });
  afterEach(() => tracing.shutdown());

  const start = (calls: number): Promise<void>[] => Array.from({ length: calls }, () => work.pending());
  const settleAll = async (calls: Promise<unknown>[]): Promise<void> => {
    for (const resolve of settle) resolve();
    await Promise.all(calls);
  };
  const unknown = (): ReadableSpan[] =>
    tracing.exported().filter(({ attributes }) => attributes['performance.outcome_unknown'] === true);

  it('counts every one, and ends its span', async () => {
    const calls = start(FAN_OUT);
    expect(tracing.exported()).toHaveLength(0);
    await settleAll(calls);
    const stats = tracing.monitor.getStats();
    expect(tracing.exported()).toHaveLength(FAN_OUT);
    expect(stats.byType['calculation']).toMatchObject({ count: FAN_OUT, errorCount: 0 });
    expect(stats.dropped).toEqual({ operationsToOther: 0, events: 0, queries: 0 });
    expect(unknown()).toEqual([]);
  });

  it('ends the spans of the oldest beyond the limit, and counts them as dropped', async () => {
    const calls = start(MAX_UNCLAIMED + BEYOND);
    expect(unknown()).toHaveLength(BEYOND);
    expect(tracing.monitor.getStats().dropped).toMatchObject({ calls: BEYOND });
    await settleAll(calls);
    expect(tracing.exported()).toHaveLength(MAX_UNCLAIMED + BEYOND);
    expect(unknown()).toHaveLength(BEYOND);
    expect(tracing.monitor.getStats().byType['calculation']).toMatchObject({ count: MAX_UNCLAIMED });
    expect(tracing.monitor.getReport().coverage.dropped).toMatchObject({ calls: BEYOND });
    tracing.monitor.resetStats();
    expect(tracing.monitor.getStats().dropped).not.toHaveProperty('calls');
  });

  it('ends the span of a generator beyond the limit', async () => {
    const rows = work.rows();
    const first = rows.next();
    const calls = start(MAX_UNCLAIMED);
    expect(unknown()).toHaveLength(1);
    await settleAll([...calls, first]);
    expect(await first).toEqual({ done: false, value: 1 });
    expect(await rows.next()).toEqual({ done: true, value: undefined });
  });
});
