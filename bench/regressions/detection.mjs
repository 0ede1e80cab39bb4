// Known changes, and how long it takes to report them.
import { Random } from './random.mjs';
import { DAY, HOUR, MINUTE, profileOf, SimulatedOperation } from './simulated-operation.mjs';

const START = 20_000 * DAY;
const LEARN_DAYS = 7;
/** Changes of less than 2 ms are not reported. */
const ANY = { medianMs: 80 };
/** A request that reads and computes: one mode, a daily season, and independent noise in each minute. */
const PLAIN = {
  ...ANY,
  sigma: 0.5,
  slowShare: 0,
  tailShare: 0,
  drift: 0,
  trafficSeason: 0.3,
  latencySeason: 0.1,
  noiseMs: MINUTE / 2,
};
const LATENCY = ['latency'];
const ANY_LATENCY = ['latency', 'tail_latency'];

/** The kind of operation, its change, and the time limit for the report. */
export const CASES = [
  ...[100, 500, 3000].map((perHour) => ({
    name: `median +20 %, ${perHour} an hour`,
    given: { ...PLAIN, perHour },
    change: { latency: 1.2 },
    metrics: LATENCY,
    targetMs: HOUR,
  })),
  {
    name: 'median +20 %, 500 an hour, operations of all kinds',
    given: { ...ANY, perHour: 500 },
    change: { latency: 1.2 },
    metrics: LATENCY,
    targetMs: HOUR,
  },
  ...[500, 3000].map((perHour) => ({
    name: `median +50 %, ${perHour} an hour`,
    given: { ...PLAIN, perHour },
    change: { latency: 1.5 },
    metrics: LATENCY,
    targetMs: 10 * MINUTE,
  })),
  {
    name: 'median +50 %, 500 an hour, operations of all kinds',
    given: { ...ANY, perHour: 500 },
    change: { latency: 1.5 },
    metrics: LATENCY,
    targetMs: 10 * MINUTE,
  },
  ...[500, 1000, 3000].map((perHour) => ({
    name: `p99 +30 %, ${perHour} an hour`,
    given: { ...PLAIN, perHour },
    change: { tail: 1.3 },
    metrics: ANY_LATENCY,
    targetMs: 2 * HOUR,
  })),
  {
    name: 'p99 +30 %, 3000 an hour, operations of all kinds',
    given: { ...ANY, perHour: 3000 },
    change: { tail: 1.3 },
    metrics: ANY_LATENCY,
    targetMs: 2 * HOUR,
  },
  {
    name: 'errors +4 %, 500 an hour',
    given: { ...PLAIN, perHour: 500, errorRate: 0.005 },
    change: { errors: 0.04 },
    metrics: ['error_rate'],
    targetMs: HOUR,
  },
  {
    name: 'statements 4 to 8, 500 an hour',
    given: { ...PLAIN, perHour: 500, queries: 4, queriesVary: true },
    change: { queries: 2 },
    metrics: ['queries'],
    targetMs: 10 * MINUTE,
  },
];
/** Late reports are awaited for this many times the limit. */
const LONGER = 4;

/** @returns the result of {@link detect} for each seed */
export function detectAll({ seeds, first, targetMs, ...given }) {
  return Array.from({ length: seeds }, (_, index) =>
    detect({ ...given, seed: first * 1000 + index, withinMs: LONGER * targetMs }),
  );
}

/**
 * One operation that changes after some days of learning.
 * @returns the delay in minutes (undefined if it was not reported), and the error of the reported start in windows
 */
function detect({ library, seed, given, change, metrics, withinMs }) {
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
  let early = false;
  for (let from = START; from < at + withinMs; ) {
    const window = operation.window(from, ++windows > 100);
    from = window.endedAt;
    if (window.count === 0) continue;
    watch.observe(watched, window);
    for (const regression of watch.settle(window.endedAt).opened) {
      if (window.endedAt <= at) early = true;
      else if (metrics.includes(regression.metric) && window.endedAt <= at + withinMs)
        return {
          early,
          delay: (window.endedAt - at) / MINUTE,
          off: Math.abs(regression.since - at) / (window.endedAt - window.startedAt),
          regression,
        };
    }
  }
  return { early };
}
