import type { WindowMetric } from './window-metric.js';
import type { WindowModel } from './window-model.js';
import type { WindowRing } from './window-ring.js';

const PARTS = 3;

/** How a change went since it began: a change that lasts is present in each third of its time. */
export interface ChangeCourse {
  /** The mean difference from the expectation in each third of the time. NaN for one without a window. */
  readonly thirds: readonly number[];
  /** Their mean. */
  readonly mean: number;
  /** The difference in the middle window by size. */
  readonly median: number;
  /** The standard deviation of the windows around their mean. */
  readonly spread: number;
}

/** @param split the number of the first window of the change */
export function courseOf(
  ring: WindowRing,
  model: WindowModel,
  metric: WindowMetric,
  split: number,
): ChangeCourse {
  const sums = Array.from({ length: PARTS }, () => ({ sum: 0, weight: 0 }));
  const begin = ring.startedAt(split);
  const partMs = (ring.endedAt(ring.end - 1) - begin) / PARTS;
  let [n, mean, squares] = [0, 0, 0];
  const differences: number[] = [];
  for (let at = split; at < ring.end; at++) {
    const difference = ring.value(at, metric) - model.expectation(metric, ring.middle(at));
    if (Number.isNaN(difference)) continue;
    differences.push(difference);
    n++;
    const step = difference - mean;
    mean += step / n;
    squares += step * (difference - mean);
    sums.forEach((part, index) => {
      const from = Math.max(ring.startedAt(at), begin + index * partMs);
      const overlap = Math.min(ring.endedAt(at), begin + (index + 1) * partMs) - from;
      if (!(overlap > 0)) return;
      part.sum += overlap * difference;
      part.weight += overlap;
    });
  }
  const thirds = sums.map(({ sum, weight }) => sum / weight);
  const known = thirds.filter((third) => !Number.isNaN(third));
  return {
    thirds,
    median: differences.sort((a, b) => a - b)[n >> 1] ?? Number.NaN,
    mean: known.reduce((sum, third) => sum + third, 0) / known.length,
    spread: n > 1 ? Math.sqrt(squares / (n - 1)) : 0,
  };
}
