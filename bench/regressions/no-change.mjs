// A service in which nothing changes: every report is false.
import { Random } from './random.mjs';
import { DAY, MINUTE, profileOf, SimulatedOperation } from './simulated-operation.mjs';

const COLD_MS = 3 * MINUTE;
/** Restarted once a day, at four. */
const RESTART_AT = 4 * 60 * MINUTE;
const START = 20_000 * DAY;
const HALF_LIFE_DAYS = 7;

/** @returns the false reports, and the number of windows */
export function simulateNoChange({ library, operations, days, seed }) {
  const { RegressionDetector, RegressionWatch, WindowModel } = library;
  const random = new Random(seed);
  const all = Array.from({ length: operations }, (_, index) => {
    const profile = profileOf(random);
    const operation = new SimulatedOperation(profile, seed * 100_000 + index, library);
    return { profile, operation, model: new WindowModel(), window: operation.window(START), known: 0 };
  });
  const reported = [];
  let windows = 0;
  let watch;
  const start = (at) => {
    watch = new RegressionWatch();
    for (const one of all) {
      const model = WindowModel.fromBytes(one.model.toBytes());
      model.decay(2 ** (-1 / HALF_LIFE_DAYS));
      one.model = model;
      one.operation.coldUntil = at + COLD_MS;
      one.watched = {
        type: 'http',
        name: `GET /${all.indexOf(one)}`,
        model,
        detector: new RegressionDetector(at),
      };
    }
  };
  start(START);
  for (let now = START + MINUTE; now <= START + days * DAY; now += MINUTE) {
    if ((now - START) % DAY === RESTART_AT) start(now);
    for (const one of all) {
      while (one.window.endedAt <= now) {
        const { window } = one;
        if (window.count > 0) {
          windows++;
          watch.observe(one.watched, window);
        }
        one.window = one.operation.window(window.endedAt, ++one.known > 100);
      }
    }
    for (const regression of watch.settle(now).opened)
      reported.push({
        ...regression,
        day: (now - START) / DAY,
        profile: all[Number(regression.name.slice(5))].profile,
      });
  }
  return { reported, windows };
}
