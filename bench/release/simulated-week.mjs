// A service with twenty releases in a week, some of which are worse, and the verdicts of their first hour.
import { Random } from '../regressions/random.mjs';
import {
  DAY,
  HOUR,
  MINUTE,
  profileOf,
  SimulatedOperation,
  UNCHANGED,
} from '../regressions/simulated-operation.mjs';

const START = 20_000 * DAY;
const DAYS = 7;
const RELEASES = 20;
const WORSE = 6;
const OPERATIONS = 10;
/** Operations that a worse release affects. */
const AFFECTED = 3;
const WARM_UP = 3 * MINUTE;
const LOOK_EVERY = 10 * MINUTE;
const LAST_LOOK = HOUR;
const BURSTS_PER_DAY = 4;
/** A release lasts at least so long. */
const MIN_BETWEEN = 2 * HOUR;

/**
 * @param effects functions of a random source that return how an affected operation changes; each worse release has one
 * @returns the releases: `{ effect, isFix, looks: [{ minutes, verdict, names }] }`
 */
export function simulateWeek(library, { seed, perHour, effects, events = true }) {
  const random = new Random(seed);
  const releases = releasesOf(random, effects);
  const bursts = events ? burstsOf(random) : [];
  const operations = Array.from({ length: OPERATIONS }, (_, index) => {
    const profile = profileOf(random, { perHour });
    return new ReleasedOperation(profile, seed * 1000 + index, library, { releases, bursts, index, events });
  });
  const watched = operations.map(() => ({}));
  let before;
  return releases.map((release, index) => {
    const until = releases[index + 1]?.at ?? START + DAYS * DAY;
    const watch = new library.RegressionWatch();
    operations.forEach((_, at) => {
      const detector = new library.RegressionDetector(release.at);
      const previous = watched[at];
      watched[at] = {
        type: 'http',
        name: `GET /${at}`,
        detector,
        model: new library.WindowModel(),
        periods: new library.OperationPeriods(),
        ...(previous.model === undefined ? {} : { reference: previous.model }),
      };
    });
    const looks = [];
    for (let now = release.at + LOOK_EVERY; now <= until; now += LOOK_EVERY) {
      observe(operations, watched, watch, release.at, now);
      if (now - release.at > LAST_LOOK || before === undefined) continue;
      const after = snapshotOf(watched, library, 'after', now);
      looks.push({ minutes: (now - release.at) / MINUTE, ...judge(library, [after, before]) });
    }
    observe(operations, watched, watch, release.at, until);
    before = snapshotOf(watched, library, 'before', until);
    return { ...release, isFix: releases[index - 1]?.effect !== undefined, looks };
  });
}

function observe(operations, watched, watch, startedAt, until) {
  operations.forEach((operation, at) => {
    const one = watched[at];
    while ((operation.next?.endedAt ?? 0) <= until) {
      const window = operation.next ?? operation.window(startedAt);
      if (window.endedAt > until) {
        operation.next = window;
        break;
      }
      operation.next = operation.window(window.endedAt);
      if (window.count === 0 || window.startedAt < startedAt + WARM_UP) continue;
      watch.observe(one, window);
      one.periods.add(window);
    }
  });
  watch.settle(until);
}

function snapshotOf(watched, library, version, at) {
  const sketch = new library.LatencySketch().toBytes();
  return {
    service: 'simulated',
    version,
    instance: `host-${version}`,
    startedAt: START,
    savedAt: at,
    absorbs: [],
    operations: watched.map(({ type, name, model, periods }) => ({
      type,
      name,
      count: 1,
      sketch,
      model: model.toBytes(),
      periods: periods.toBytes(),
    })),
  };
}

function judge({ judgingVersion, runToCompletion }, snapshots) {
  const { verdict, operations } = runToCompletion(
    judgingVersion(snapshots, { service: 'simulated', version: 'after' }),
  );
  const changed = operations.filter((one) => one.verdict === 'worse' || one.verdict === 'better');
  return { verdict, changed, operations };
}

function releasesOf(random, effects) {
  const at = [START];
  while (at.length < RELEASES + 1) {
    const next = START + random.uniform() * (DAYS * DAY - 2 * HOUR);
    if (at.every((one) => Math.abs(one - next) >= MIN_BETWEEN)) at.push(next);
  }
  at.sort((one, other) => one - other);
  const worse = new Set();
  // The first version has none before it.
  while (worse.size < WORSE) {
    const next = 1 + Math.floor(random.uniform() * RELEASES);
    if (!worse.has(next - 1) && !worse.has(next + 1)) worse.add(next);
  }
  let used = 0;
  return at.map((moment, index) => {
    if (!worse.has(index)) return { at: moment };
    const effect = effects[used++ % effects.length];
    const affected = new Set();
    while (affected.size < AFFECTED) affected.add(Math.floor(random.uniform() * OPERATIONS));
    return { at: moment, effect: effect.name, change: { ...UNCHANGED, ...effect.of(random) }, affected };
  });
}

/** Incidents of minutes, which are no release's fault. */
function burstsOf(random) {
  return Array.from({ length: BURSTS_PER_DAY * DAYS }, () => {
    const at = START + random.uniform() * DAYS * DAY;
    const change =
      random.uniform() < 0.5
        ? { errors: random.between(0.1, 0.6) }
        : { latency: random.between(1.5, 5), errors: random.uniform() < 0.3 ? 0.1 : 0 };
    const operation = Math.floor(random.uniform() * OPERATIONS);
    return { at, until: at + random.scale(2, 20) * MINUTE, operation, change: { ...UNCHANGED, ...change } };
  });
}

/** An operation with releases, cold starts and bursts. */
class ReleasedOperation extends SimulatedOperation {
  constructor(profile, seed, library, { releases, bursts, index, events }) {
    super(profile, seed, library);
    this.releases = releases;
    this.index = index;
    this.bursts = bursts.filter(({ operation }) => operation === index);
    this.coldFactor = events ? this.random.between(0, 3) : 0;
    this.coldMs = this.random.scale(1, 10) * MINUTE;
  }

  window(from, knowsP99) {
    const release = this.releases.findLast(({ at }) => at <= from);
    this.released = release;
    this.ownChange = release?.affected?.has(this.index) ? release.change : UNCHANGED;
    this.change = this.ownChange;
    this.changeAt = Number.NEGATIVE_INFINITY;
    return super.window(from, knowsP99);
  }

  changeFor(at) {
    const slot = Math.floor(at / 10_000);
    if (slot !== this.slot || this.met === undefined || this.metOf !== this.released) {
      this.slot = slot;
      this.metOf = this.released;
      this.met = this.metAt(at);
    }
    return this.met;
  }

  metAt(at) {
    const burst = this.bursts.find((one) => at >= one.at && at < one.until)?.change ?? UNCHANGED;
    const age = at - (this.released?.at ?? at);
    const cold = 1 + this.coldFactor * Math.exp(-age / this.coldMs);
    const { ownChange } = this;
    return {
      ...ownChange,
      latency: ownChange.latency * burst.latency * cold,
      errors: ownChange.errors + burst.errors,
    };
  }

  shape() {
    const { slowMode } = this.ownChange ?? {};
    const slow = slowMode !== undefined && this.random.uniform() < slowMode.share ? slowMode.factor : 1;
    return slow * super.shape();
  }
}
