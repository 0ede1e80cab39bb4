import type { BaselineEntry, BaselineSnapshot } from '../../../lib/baseline/baseline-snapshot.js';
import { LatencySketch } from '../../../lib/baseline/latency-sketch.js';
import { BUCKETS, bucketOf } from '../../../lib/inference/latency-histogram.js';

/** Latencies spread evenly over a factor of three around `ms`. */
export function sketchAround(ms: number, count: number): LatencySketch {
  const counts = new Float64Array(BUCKETS);
  for (let i = 0; i < count; i++) (counts[bucketOf(ms * 3 ** ((i + 0.5) / count - 0.5))] as number)++;
  const sketch = new LatencySketch();
  sketch.add(counts);
  return sketch;
}

export function entry(name: string, ms = 10, count = 100, model = new Uint8Array(0)): BaselineEntry {
  return { type: 'http', name, count, sketch: sketchAround(ms, count).toBytes(), model };
}

export function snapshot(change: Partial<BaselineSnapshot> = {}): BaselineSnapshot {
  return {
    service: 'shop',
    version: '1.0.0',
    instance: 'host-1-aa',
    startedAt: 1_000,
    savedAt: 2_000,
    absorbs: [],
    operations: [entry('GET /a')],
    ...change,
  };
}
