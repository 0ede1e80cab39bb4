// Latencies that rise for good under noise that lasts, and the reports of one such change over days.
import { Random } from './random.mjs';
import { DAY, MINUTE, profileOf, SimulatedOperation } from './simulated-operation.mjs';

const START = 20_000 * DAY;
const LEARN_DAYS = 7;
const WATCH_DAYS = 3;
const STEP = 1.25;

/** The noise as a standard deviation of the logarithm, how long it lasts, and the traffic. */
export const STEPS = [0.06, 0.09].flatMap((noise) =>
  [10, 30].flatMap((minutes) => [30, 600].map((perHour) => ({ noise, noiseMs: minutes * MINUTE, perHour }))),
);

/**
 * One operation that gets slower by a quarter after a week, and stays so.
 * @returns the delay of the first report in minutes (undefined if there was none within a day), the number of reports of
 * the change within three days, and that of reports before it
 */
export function lastingStep(library, seed, { noise, noiseMs, perHour }) {
  const { RegressionDetector, RegressionWatch, WindowModel } = library;
  const random = new Random(seed);
  const given = {
    perHour,
    noise,
    noiseMs,
    medianMs: 80,
    sigma: 0.5,
    slowShare: 0,
    tailShare: 0,
    drift: 0,
    trafficSeason: 0.3,
    latencySeason: 0.1,
    errorRate: 0.002,
    queries: 0,
  };
  const operation = new SimulatedOperation(profileOf(random, given), seed * 7 + 1, library);
  const watched = {
    type: 'http',
    name: 'GET /orders',
    model: new WindowModel(),
    detector: new RegressionDetector(START),
  };
  const watch = new RegressionWatch();
  const at = START + LEARN_DAYS * DAY + random.uniform() * DAY;
  operation.change = { latency: STEP, tail: 1, errors: 0, queries: 1 };
  operation.changeAt = at;
  const reports = [];
  let early = 0;
  let windows = 0;
  for (let from = START; from < at + WATCH_DAYS * DAY; ) {
    const window = operation.window(from, ++windows > 100);
    from = window.endedAt;
    if (window.count === 0) continue;
    watch.observe(watched, window);
    const { opened, newNormal } = watch.settle(window.endedAt);
    // As the module does: the new level is learned.
    if (newNormal.length > 0) watched.model = new WindowModel();
    for (const { metric } of opened)
      if (window.endedAt <= at) early++;
      else reports.push({ metric, delay: (window.endedAt - at) / MINUTE });
  }
  const [first] = reports;
  return { delay: first?.delay <= DAY / MINUTE ? first.delay : undefined, reports: reports.length, early };
}
