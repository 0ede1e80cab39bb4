// Fast random numbers from a seed.

const QUANTILES = 1 << 14;
const normals = Float64Array.from({ length: QUANTILES }, (_, index) =>
  normalQuantile((index + 0.5) / QUANTILES),
);

/** The same seed gives the same numbers. */
export class Random {
  constructor(seed) {
    this.state = Math.imul(seed + 1, 0x9e3779b1) | 0;
  }

  /** 0 to 1 (mulberry32). */
  uniform() {
    return this.bits() / 4294967296;
  }

  /** A standard normal number, in 16,384 steps. */
  normal() {
    return normals[this.bits() >>> 18];
  }

  exponential() {
    return -Math.log(1 - this.uniform());
  }

  between(low, high) {
    return low + (high - low) * this.uniform();
  }

  /** Log-uniform. */
  scale(low, high) {
    return low * (high / low) ** this.uniform();
  }

  /** The number of events with this expectation. */
  poisson(expected) {
    if (expected > 30) return Math.max(0, Math.round(expected + Math.sqrt(expected) * this.normal()));
    const limit = Math.exp(-expected);
    let count = -1;
    for (let product = 1; product > limit; product *= this.uniform()) count++;
    return Math.max(0, count);
  }

  bits() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }
}

/** By bisection of an approximation of the distribution (Abramowitz and Stegun 26.2.17). */
function normalQuantile(p) {
  let [low, high] = [-8, 8];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (below(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function below(z) {
  if (z < 0) return 1 - below(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}
