// What the verdict of a release reads: from a real collection to the snapshot that is saved.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Baseline } from '../../lib/baseline/baseline.js';
import type { MemoryReading } from '../../lib/baseline/memory-recorder.js';
import { ProcessMemory } from '../../lib/baseline/process-memory.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { SimulatedService } from '../baseline/simulated-service.js';
import { until } from '../support/application.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const MB = 2 ** 20;

describe('the memory of a version', () => {
  const { addMemory } = Baseline.prototype;
  afterEach(() => {
    Baseline.prototype.addMemory = addMemory;
  });

  it('is read after major collections', async () => {
    const readings: MemoryReading[] = [];
    Baseline.prototype.addMemory = function (reading) {
      readings.push(reading);
      addMemory.call(this, reading);
    };
    const monitor = new PerformanceMonitor({ alerts: { enabled: false } });
    try {
      await until(() => {
        collect();
        return readings.some(({ heapUsed }) => heapUsed > MB);
      });
      expect(readings.every(({ rss }) => rss > MB)).toBe(true);
    } finally {
      await monitor.shutdown();
    }
  });

  it('is saved with the executions of incoming operations alone', () => {
    const service = new SimulatedService({}, { version: '1.0.0' });
    const startedAt = performance.timeOrigin + performance.now();
    const add = (minute: number): void => {
      const at = startedAt + minute * 60_000 + 1000;
      service.baseline.addMemory({ at, heapUsed: 50 * MB, rss: 100 * MB });
    };
    add(0);
    expect(service.baseline.snapshot()).not.toHaveProperty('memory');
    service.run(10, [
      { name: 'GET /a', perMinute: 12, medianMs: () => 20 },
      { type: 'database', name: 'SELECT a', perMinute: 60, medianMs: () => 2 },
    ]);
    add(10);
    service.run(5, [
      { name: 'GET /a', perMinute: 12, medianMs: () => 20 },
      { type: 'database', name: 'SELECT a', perMinute: 60, medianMs: () => 2 },
    ]);
    add(15);
    const { memory } = service.baseline.snapshot();
    const [first] = ProcessMemory.fromBytes(memory as Uint8Array).list()[0] ?? [];
    expect(first?.load).toBeCloseTo(12, 4);
    expect(Math.exp(first?.heap?.mean ?? 0) / MB).toBeCloseTo(50, 3);
    const off = new SimulatedService({ enabled: false });
    off.baseline.addMemory({ at: startedAt, heapUsed: MB, rss: MB });
    off.baseline.addMemory({ at: startedAt + 900_000, heapUsed: MB, rss: MB });
    expect(off.baseline.snapshot()).not.toHaveProperty('memory');
  });
});
