import { describe, expect, it } from '@jest/globals';
import { LatencySketch } from '../../lib/baseline/latency-sketch.js';
import { RegressionDetector } from '../../lib/baseline/regression-detector.js';
import { TrendDetector } from '../../lib/baseline/trend-detector.js';
import { WatchedHistory } from '../../lib/baseline/watched-history.js';
import { BUCKETS, bucketOf } from '../../lib/inference/latency-histogram.js';

const HOURS = 3 * 365 * 24;

describe('what is known of one operation', () => {
  it('is as old as it is after three years, and can be packed all the while', () => {
    const history = new WatchedHistory(
      'http',
      'GET /albums',
      new RegressionDetector(),
      new TrendDetector({ kind: 'operation', type: 'http', name: 'GET /albums' }, 'ms'),
    );
    const perHour = 360_000;
    const factor = 2 ** (-1 / 24);
    const counts = new Float64Array(BUCKETS);
    counts[bucketOf(50)] = perHour;
    for (let hour = 0; hour < HOURS; hour++) {
      history.addLatencies(counts);
      history.decay(factor);
    }
    // A geometric series: what an hour brings, over what an hour takes.
    const expected = (perHour * factor) / (1 - factor);
    const { count, sketch } = history.entry() ?? { count: 0, sketch: new Uint8Array() };
    expect(count / expected).toBeCloseTo(1, 2);
    expect(LatencySketch.fromBytes(sketch).percentile(0.5)).toBeCloseTo(50, -1);
  });
});
