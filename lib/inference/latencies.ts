import { LatencyHistogram } from './latency-histogram.js';

/** Count, sum, extremes and distribution of latencies, in milliseconds. */
export class Latencies {
  readonly histogram = new LatencyHistogram();
  count = 0;
  sum = 0;
  /** Infinity and 0 while `count` is 0. */
  min = Number.POSITIVE_INFINITY;
  max = 0;

  record(ms: number): void {
    this.count++;
    this.sum += ms;
    if (ms < this.min) this.min = ms;
    if (ms > this.max) this.max = ms;
    this.histogram.record(ms);
  }
}
