import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DeferredEmitter } from '../../lib/async/deferred-emitter.js';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { EndedOperation } from '../../lib/spans/ended-operation.js';
import { sleep } from '../support/tracing.js';

function ended(durationMs: number, more: Partial<EndedOperation> = {}): EndedOperation {
  return { type: 'http', name: 'GET /a', durationMs, thresholdMs: 100, error: false, ...more };
}

describe('PerformanceMonitor', () => {
  let monitor: PerformanceMonitor;
  beforeEach(() => {
    monitor = new PerformanceMonitor({ alerts: { enabled: false }, detection: { maxSlowOperations: 3 } });
  });
  afterEach(() => monitor.shutdown());

  it('considers an operation slow that exceeds its threshold, not one that equals it', () => {
    expect(monitor.record(ended(100))).toBe(false);
    expect(monitor.record(ended(100.001))).toBe(true);
    expect(monitor.record(ended(1e9, { thresholdMs: undefined }))).toBe(false);
    expect(monitor.getStats()).toMatchObject({ totalOperations: 3, totalSlowOperations: 1 });
  });

  it('keeps the last slow operations, the newest first', () => {
    for (let i = 1; i <= 5; i++) monitor.record(ended(100 + i, { type: i % 2 === 0 ? 'database' : 'http' }));
    expect(monitor.getSlowOperations().map(({ durationMs }) => durationMs)).toEqual([105, 104, 103]);
    expect(monitor.getSlowOperations({ limit: 1 }).map(({ durationMs }) => durationMs)).toEqual([105]);
    expect(monitor.getSlowOperations({ type: 'database' }).map(({ durationMs }) => durationMs)).toEqual([
      104,
    ]);
    const [newest] = monitor.getSlowOperations();
    expect(monitor.getSlowOperation(newest?.id ?? '')).toBe(newest);
    expect(monitor.getSlowOperation('of long ago')).toBeUndefined();
  });

  it('sums up the excess time of operations', () => {
    for (const durationMs of [90, 130, 170]) monitor.record(ended(durationMs));
    monitor.record(ended(1e6, { name: 'unlimited', thresholdMs: undefined }));
    const [first, second] = monitor.operationsByCost(10);
    expect(first).toMatchObject({
      type: 'http',
      name: 'GET /a',
      thresholdMs: 100,
      excessMs: 100,
      totalMs: 390,
    });
    expect(first?.sparkline).toEqual([...Array(59).fill(null), 130]);
    expect(second).toMatchObject({ name: 'unlimited', excessMs: 0 });
    expect(second).not.toHaveProperty('thresholdMs');
    expect(monitor.operationsByCost(1)).toHaveLength(1);
    expect(monitor.getStats().operations.find(({ name }) => name === 'GET /a')?.excessMs).toBe(100);
    monitor.resetStats();
    expect(monitor.operationsByCost(10)).toEqual([]);
  });

  it('notifies listeners later, outside the operation, until they are removed', async () => {
    const heard: SlowOperation[] = [];
    const leave = monitor.onSlowOperation((operation) => heard.push(operation));
    monitor.record(ended(200));
    expect(heard).toEqual([]);
    await sleep(5);
    expect(heard).toMatchObject([{ name: 'GET /a', durationMs: 200, slownessRatio: 2 }]);
    leave();
    monitor.record(ended(200));
    await sleep(5);
    expect(heard).toHaveLength(1);
  });

  it('clears everything on a reset, and counts nothing after its shutdown', () => {
    monitor.record(ended(200));
    monitor.resetStats();
    expect(monitor.getStats()).toMatchObject({ totalOperations: 0, operations: [] });
    expect(monitor.getSlowOperations()).toEqual([]);
    monitor.shutdown();
    expect(monitor.record(ended(200))).toBe(false);
    expect(monitor.getStats().totalOperations).toBe(0);
  });

  it('fires an alert when a share of operations is slow, and resolves it later', async () => {
    const heard: string[] = [];
    monitor.onAlert(({ rule, subject, state, value }) => heard.push(`${rule} ${subject} ${state} ${value}`));
    for (let i = 0; i < 19; i++) monitor.record(ended(200));
    monitor.evaluateAlerts();
    monitor.record(ended(1));
    monitor.evaluateAlerts();
    monitor.evaluateAlerts();
    expect(monitor.getActiveAlerts()).toMatchObject([{ rule: 'slow_percentage', subject: 'http' }]);
    monitor.resetStats();
    monitor.evaluateAlerts();
    await sleep(5);
    expect(heard).toEqual(['slow_percentage http firing 95', 'slow_percentage http resolved 0']);
  });

  it('evaluates its rules periodically', async () => {
    const own = new PerformanceMonitor({ alerts: { intervalMs: 100, slowPercentage: { minCount: 1 } } });
    const heard: string[] = [];
    own.onAlert(({ summary }) => heard.push(summary));
    own.record(ended(200));
    await sleep(250);
    own.shutdown();
    expect(heard).toEqual(['100 % of 1 http operations in the last minute were slow (threshold 5 %)']);
  });
});

describe('DeferredEmitter', () => {
  it('drops events beyond its limit, and counts them', async () => {
    const events = new DeferredEmitter<number>(() => {});
    let heard = 0;
    events.on(() => heard++);
    for (let i = 0; i < 1500; i++) events.emit(i);
    expect(events.dropped).toBe(500);
    await sleep(5);
    expect(heard).toBe(1000);
    events.emit(1);
    await sleep(5);
    expect(heard).toBe(1001);
  });

  it('queues nothing without listeners', () => {
    const events = new DeferredEmitter<number>(() => {});
    for (let i = 0; i < 1500; i++) events.emit(i);
    expect(events.dropped).toBe(0);
  });

  it('notifies the other listeners when one throws', () => {
    const faults: unknown[] = [];
    const events = new DeferredEmitter<number>((error) => faults.push(error));
    const heard: number[] = [];
    events.on(() => {
      throw new Error('mine');
    });
    events.on((event) => heard.push(event));
    events.emit(1);
    events.close();
    expect(heard).toEqual([1]);
    expect(faults).toEqual([new Error('mine')]);
  });
});
