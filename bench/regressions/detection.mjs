// Changes that are known, and how long it takes until they are told.
import { Random } from './random.mjs';
import { DAY, HOUR, MINUTE, profileOf, SimulatedOperation } from './simulated-operation.mjs';

const START = 20_000 * DAY;
const LEARN_DAYS = 4;

/**
 * One operation that has been learned for some days, then changes.
 * @returns the delay in minutes (undefined where it was not told), and by how many windows its beginning is wrong
 */
export function detect({ library, seed, given, change, metrics, withinMs }) {
  const { RegressionDetector, RegressionWatch, WindowModel } = library;
  const random = new Random(seed);
  const operation = new SimulatedOperation(profileOf(random, given), seed * 7 + 1, library);
  const model = new WindowModel();
  const watched = { type: 'http', name: 'GET /orders', model, detector: new RegressionDetector(START) };
  const watch = new RegressionWatch();
  const at = START + LEARN_DAYS * DAY + random.uniform() * DAY;
  operation.change = { latency: 1, tail: 1, errors: 0, queries: 1, ...change };
  operation.changeAt = at;
  let windows = 0;
  for (let from = START; from < at + withinMs; ) {
    const window = operation.window(from, ++windows > 100);
    from = window.endedAt;
    if (window.count === 0) continue;
    watch.observe(watched, window);
    for (const regression of watch.settle(window.endedAt).opened) {
      if (!metrics.includes(regression.metric)) continue;
      if (window.endedAt <= at) return { early: true, regression };
      if (window.endedAt > at + withinMs) continue;
      return {
        delay: (window.endedAt - at) / MINUTE,
        off: Math.abs(regression.since - at) / (window.endedAt - window.startedAt),
        regression,
      };
    }
  }
  return {};
}

export const HOURS_MS = HOUR;
