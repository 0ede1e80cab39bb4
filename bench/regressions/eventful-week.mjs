// A service in which nothing gets worse for good, but much happens: deploys with cold caches, and bursts of minutes.
import { Random } from './random.mjs';
import { DAY, HOUR, MINUTE, profileOf, SimulatedOperation, UNCHANGED } from './simulated-operation.mjs';

const START = 20_000 * DAY;
const QUIET_DAYS = 7;
const DAYS = 7;
const HALF_LIFE_DAYS = 7;
/** Deploys and bursts of a day. */
const DEPLOYS = 2;
const BURSTS = 4;
/** The share of the operations that a burst affects. */
const AFFECTED = 0.1;
const SLOT = 10_000;

/**
 * A week of learning, then a week with two deploys a day, each second one with a new version, and four bursts of errors or
 * of latency that last 2 to 20 minutes. After a start, latencies fall from up to four times their level within minutes.
 * @returns all reports of the second week, which are false: `{ metric, change, at, why }`
 */
export function eventfulWeek(library, { operations, seed }) {
  const { RegressionDetector, RegressionWatch, WindowModel } = library;
  const random = new Random(seed);
  const events = eventsOf(random);
  const all = Array.from({ length: operations }, (_, index) => {
    const operation = new WeekOperation(profileOf(random), seed * 100_000 + index, library, events, index);
    return { operation, model: new WindowModel(), window: operation.window(START), known: 0 };
  });
  const reports = [];
  let watch;
  const start = (at, isNewVersion) => {
    watch = new RegressionWatch();
    all.forEach((one, index) => {
      const before = WindowModel.fromBytes(one.model.toBytes());
      one.model = isNewVersion ? new WindowModel() : before;
      const { model } = one;
      const detector = new RegressionDetector(at);
      one.watched = { type: 'http', name: `GET /${index}`, model, detector };
      if (isNewVersion) one.watched.reference = before;
    });
  };
  start(START, false);
  let decayedAt = START;
  let next = 0;
  for (let now = START + MINUTE; now <= START + (QUIET_DAYS + DAYS) * DAY; now += MINUTE) {
    if (events.deploys[next] <= now) start(now, next++ % 2 === 1);
    if (now - decayedAt >= DAY) {
      for (const { model } of all) model.decay(2 ** (-1 / HALF_LIFE_DAYS));
      decayedAt = now;
    }
    for (const one of all)
      while (one.window.endedAt <= now) {
        const { window } = one;
        if (window.count > 0) watch.observe(one.watched, window);
        one.window = one.operation.window(window.endedAt, ++one.known > 100);
      }
    const { opened, newNormal } = watch.settle(now);
    for (const watched of newNormal) {
      const one = all.find((each) => each.watched === watched);
      one.model = one.watched.model = new WindowModel();
      one.watched.reference = undefined;
    }
    for (const report of opened) {
      const profile = all[Number(report.name.slice(5))].operation.profile;
      reports.push({ ...report, day: (now - START) / DAY, why: whyOf(events, report, now), profile });
    }
  }
  return reports.filter(({ day }) => day > QUIET_DAYS);
}

function eventsOf(random) {
  const begin = START + QUIET_DAYS * DAY;
  const deploys = Array.from({ length: DEPLOYS * DAYS }, (_, index) =>
    Math.round(begin + (index + random.uniform()) * (DAY / DEPLOYS)),
  );
  const bursts = Array.from({ length: BURSTS * DAYS }, () => {
    const at = begin + random.uniform() * DAYS * DAY;
    const change =
      random.uniform() < 0.5
        ? { errors: random.between(0.1, 0.6) }
        : { latency: random.between(1.5, 5), errors: random.uniform() < 0.3 ? 0.1 : 0 };
    const first = random.uniform();
    return { at, until: at + random.scale(2, 20) * MINUTE, first, change: { ...UNCHANGED, ...change } };
  });
  return { deploys, bursts };
}

function whyOf({ deploys, bursts }, { since }, now) {
  if (deploys.some((at) => since >= at - 5 * MINUTE && since < at + HOUR)) return 'deploy';
  if (bursts.some(({ at, until }) => since < until + 30 * MINUTE && now > at)) return 'burst';
  return 'nothing';
}

/** An operation with cold starts and bursts. */
class WeekOperation extends SimulatedOperation {
  constructor(profile, seed, library, { deploys, bursts }, index) {
    super(profile, seed, library);
    this.deploys = deploys;
    this.bursts = bursts.filter(({ first }) => (index / 200 - first + 1) % 1 < AFFECTED);
    this.coldFactor = this.random.between(0, 3);
    this.coldMs = this.random.scale(2, 20) * MINUTE;
  }

  /** What a request meets at a moment, to ten seconds. */
  changeFor(at) {
    const slot = Math.floor(at / SLOT);
    if (slot !== this.slot) {
      this.slot = slot;
      this.met = this.changeAround(at);
    }
    return this.met;
  }

  changeAround(at) {
    const burst = this.bursts.find((one) => at >= one.at && at < one.until)?.change ?? UNCHANGED;
    const deploy = this.deploys.findLast((moment) => moment <= at);
    if (deploy === undefined || at - deploy > HOUR * 4) return burst;
    const cold = 1 + this.coldFactor * Math.exp((deploy - at) / this.coldMs);
    return { ...burst, latency: burst.latency * cold };
  }
}
