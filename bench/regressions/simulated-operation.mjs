// A simulated operation: its traffic, its latencies, and the resulting windows.
import { Random } from './random.mjs';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const SLOT = 10_000;
const MIN_COUNT = 30;
const MAX_MS = 30 * MINUTE;
/** The noise between windows, as a standard deviation of the logarithm. */
const NOISE = 0.06;

/** A random operation of a service: a mix of everything that causes false reports. */
export function profileOf(random, given = {}) {
  const kind = random.uniform();
  return {
    perHour: random.scale(5, 5000),
    trafficSeason: random.between(0, 0.8),
    latencySeason: random.between(0, 0.2),
    phase: random.uniform(),
    medianMs: random.scale(3, 500),
    sigma: random.between(0.3, 0.9),
    slowShare: kind < 0.3 ? random.scale(0.03, 0.5) : 0,
    slowFactor: random.scale(3, 15),
    tailShare: kind > 0.75 ? random.between(0.002, 0.02) : 0,
    // The relative drift of the share of the slow mode in a day.
    drift: random.uniform() < 0.3 ? 0.1 : 0,
    noise: NOISE,
    // How long the noise lasts.
    noiseMs: random.scale(2, 30) * MINUTE,
    errorRate: random.uniform() < 0.5 ? 0 : random.scale(0.0005, 0.03),
    queries: random.uniform() < 0.3 ? 0 : Math.ceil(random.scale(0.5, 12)),
    queriesVary: random.uniform() < 0.5,
    ...given,
  };
}

/** Factors of all latencies and of those above the p95, added errors, factor of statements. */
export const UNCHANGED = { latency: 1, tail: 1, errors: 0, queries: 1 };

/** The geometric mean of the slowest 5 %, the least slow one in part. */
function tailOf(sorted) {
  const slowest = sorted.length / 20;
  let [sum, left] = [0, slowest];
  for (let index = sorted.length - 1; index >= 0 && left > 0; index--) {
    const taken = Math.min(1, left);
    sum += taken * Math.log(sorted[index]);
    left -= taken;
  }
  return Math.exp(sum / slowest);
}

export class SimulatedOperation {
  /** @param buckets the package's buckets, which round the figures */
  constructor(profile, seed, buckets) {
    this.profile = profile;
    this.random = new Random(seed);
    this.buckets = buckets;
    this.noise = 0;
    this.noiseAt = 0;
    this.slowShare = profile.slowShare;
    this.latencies = new Float64Array(4096);
    this.change = UNCHANGED;
    this.changeAt = Number.POSITIVE_INFINITY;
    this.coldUntil = 0;
    this.tailMs = this.percentile(0.95);
    this.p99Ms = this.percentile(0.99);
  }

  /** The window that begins at `from`, milliseconds. */
  window(from, knowsP99 = true) {
    const { profile, random } = this;
    const season = Math.sin(2 * Math.PI * (from / DAY + profile.phase));
    const perMs = (profile.perHour / HOUR) * (1 + profile.trafficSeason * season);
    let to = from + MINUTE;
    let count = random.poisson(perMs * MINUTE);
    while (count < MIN_COUNT && to < from + MAX_MS) {
      to += random.exponential() / perMs;
      if (to < from + MAX_MS) count++;
    }
    to = Math.min(from + MAX_MS, Math.ceil(to / SLOT) * SLOT);
    count = Math.min(count, this.latencies.length);
    return count === 0
      ? { startedAt: from, endedAt: to, count }
      : this.filled(from, to, count, season, knowsP99);
  }

  filled(from, to, count, season, knowsP99) {
    const { profile, random, latencies } = this;
    this.advance((from + to) / 2);
    const level = profile.medianMs * Math.exp(profile.latencySeason * season + this.noise);
    let [sum, logs, over, errors] = [0, 0, 0, 0];
    const errorNoise = Math.exp(0.3 * random.normal());
    for (let i = 0; i < count; i++) {
      const change = this.changeFor(from + ((i + 0.5) * (to - from)) / count);
      const cold = from < this.coldUntil ? 3 : 1;
      let ms = this.shape() * level * change.latency * cold;
      if (ms > this.tailMs && change.tail !== 1) ms *= change.tail;
      if (random.uniform() < profile.errorRate * errorNoise + change.errors) errors++;
      if (ms > this.p99Ms) over++;
      latencies[i] = ms;
      sum += ms;
      logs += Math.log(ms);
    }
    const sorted = latencies.subarray(0, count).sort();
    const rank = (p) => this.quantised(sorted[Math.max(0, Math.ceil(p * count) - 1)]);
    const changed = Math.max(0, Math.min(1, (to - Math.max(from, this.changeAt)) / (to - from)));
    return {
      startedAt: from,
      endedAt: to,
      count,
      errors,
      meanMs: sum / count,
      meanLog: logs / count,
      p50Ms: rank(0.5),
      p90Ms: rank(0.9),
      p99Ms: rank(0.99),
      tailMs: tailOf(sorted),
      overP99: knowsP99 ? over : Number.NaN,
      queries: this.queries(count) * (1 + (this.change.queries - 1) * changed),
      partsMs: [0.6, 0, 0, 0, 0, 0, 0.3 * (1 + ((this.change.cpu ?? 1) - 1) * changed), 0.1].map(
        (share) => share * (sum / count),
      ),
    };
  }

  /** What a request meets at a moment: they are spread evenly over a window. */
  changeFor(at) {
    return at >= this.changeAt ? this.change : UNCHANGED;
  }

  /** A random latency with a median of 1, without season and noise. */
  shape() {
    const { profile, random } = this;
    let value = Math.exp(profile.sigma * random.normal());
    if (this.slowShare > 0 && random.uniform() < this.slowShare) value *= profile.slowFactor;
    if (profile.tailShare > 0 && random.uniform() < profile.tailShare)
      value *= (1 - random.uniform()) ** (-1 / 1.5);
    return value;
  }

  queries(count) {
    const { queries, queriesVary } = this.profile;
    return queriesVary && queries > 0 ? this.random.poisson(queries * count) / count : queries;
  }

  /** Noise is an Ornstein-Uhlenbeck process, so that it does not depend on the length of windows; the mix drifts. */
  advance(at) {
    const { profile, random } = this;
    const elapsed = at - this.noiseAt;
    const kept = Math.exp(-elapsed / profile.noiseMs);
    this.noise = kept * this.noise + Math.sqrt(1 - kept * kept) * profile.noise * random.normal();
    if (profile.drift > 0 && this.slowShare > 0)
      this.slowShare = Math.min(
        0.8,
        this.slowShare * Math.exp(profile.drift * Math.sqrt(Math.min(elapsed, DAY) / DAY) * random.normal()),
      );
    this.noiseAt = at;
  }

  quantised(ms) {
    const { bucketOf, bucketMiddle } = this.buckets;
    return bucketMiddle(bucketOf(ms));
  }

  percentile(p) {
    const { profile, random } = this;
    const values = Float64Array.from({ length: 20_000 }, () => {
      const season = profile.latencySeason * Math.sin(2 * Math.PI * random.uniform());
      return this.shape() * profile.medianMs * Math.exp(season + profile.noise * random.normal());
    }).sort();
    return values[Math.floor(p * values.length)];
  }
}
