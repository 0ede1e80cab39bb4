import { performance } from 'node:perf_hooks';
import { describe, expect, it } from '@jest/globals';
import { asOwnPause } from '../../lib/async/own-pauses.js';
import { isSlow } from '../../lib/operation/thresholds.js';

describe('An operation', () => {
  it.each([
    ['over its threshold', 101, 100, 0, true],
    ['at its threshold', 100, 100, 0, false],
    ['without a threshold', 10_000, undefined, 0, false],
    ['that waits by design', 10_000, Number.POSITIVE_INFINITY, 0, false],
    ['over its threshold because of its client', 150, 100, 60, false],
    ['over its threshold without its client, too', 150, 100, 40, true],
  ])('%s is slow or not', (_what, durationMs, limitMs, clientMs, expected) => {
    expect(isSlow(durationMs, limitMs, performance.now() + 1e6, clientMs)).toBe(expected);
  });

  it('is not slow because of a pause of this package', () => {
    asOwnPause(() => {
      const from = performance.now();
      while (performance.now() < from + 30);
    });
    expect(isSlow(10_000, 9980, performance.now())).toBe(false);
    expect(isSlow(10_000, 5000, performance.now())).toBe(true);
  });
});
