import { LatencyHistogram } from './latency-histogram.js';

/** What latencies add up to since the beginning, in milliseconds. */
export class Latencies {
  readonly histogram = new LatencyHistogram();
  count = 0;
  sum = 0;
  /** Infinity and 0 while there is none. */
  min = Number.POSITIVE_INFINITY;
  max = 0;

  /** Counts one. */
  record(ms: number): void {
    this.count++;
    this.sum += ms;
    if (ms < this.min) this.min = ms;
    if (ms > this.max) this.max = ms;
    this.histogram.record(ms);
  }
}
