// Change points by optimal partitioning. The package does not use it: it is compared on series that people have labelled.

const MIN_SEGMENT = 4;
/** However strongly neighbours correlate, a value counts as at least a twelfth of an independent one. */
const MAX_CORRELATION = 0.85;
/** The assumed variance of the noise in a segment, at least, as a share of the variance between neighbours. */
const MIN_NOISE = 0.25;
const MIN_VARIANCE = 1e-6;

/**
 * Divides a series into segments, each of which is a level or a line with noise: those of the least cost by the Bayesian
 * information criterion (Schwarz 1978), found exactly by optimal partitioning (Jackson et al. 2005). A series with
 * autocorrelation counts as fewer, independent values.
 * @returns for each change `{ index, before, after, change }`: the first index after it, the fitted values around it, and
 * their relative difference
 */
export function changePoints(values) {
  const segments = new SegmentSums(values);
  const rho = Math.min(MAX_CORRELATION, segments.correlation());
  const starts = partition(segments, (1 - rho) / (1 + rho));
  return starts.map((index, place) => {
    const before = segments.fittedAt(starts[place - 1] ?? 0, index, index - 1);
    const after = segments.fittedAt(index, starts[place + 1] ?? values.length, index);
    return { index, before, after, change: (after - before) / Math.abs(before) };
  });
}

/** The starts of all segments but the first, in order. */
function partition(segments, independence) {
  const n = segments.length;
  const perChange = Math.log(Math.max(n, 2));
  const costs = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
  const begins = new Int32Array(n + 1);
  costs[0] = 0;
  for (let end = MIN_SEGMENT; end <= n; end++) {
    for (let begin = 0; begin <= end - MIN_SEGMENT; begin++) {
      const cost = costs[begin] + segments.cost(begin, end, independence) + (begin > 0 ? perChange : 0);
      if (cost < costs[end]) {
        costs[end] = cost;
        begins[end] = begin;
      }
    }
  }
  const starts = [];
  for (let at = begins[n]; at > 0; at = begins[at]) starts.unshift(at);
  return starts;
}

/** Prefix sums over a standardised series, by which any segment is fitted in constant time. */
class SegmentSums {
  constructor(values) {
    const n = values.length;
    this.length = n;
    this.mean = values.reduce((sum, value) => sum + value, 0) / n;
    const variance = values.reduce((sum, value) => sum + (value - this.mean) ** 2, 0) / n;
    this.scale = Math.sqrt(variance) || 1;
    this.values = values.map((value) => (value - this.mean) / this.scale);
    const prefixSums = (of) => {
      const sums = new Float64Array(n + 1);
      this.values.forEach((value, i) => {
        sums[i + 1] = sums[i] + of(value, i);
      });
      return sums;
    };
    this.times = prefixSums((_, i) => i);
    this.timeSquares = prefixSums((_, i) => i * i);
    this.sums = prefixSums((value) => value);
    this.products = prefixSums((value, i) => i * value);
    this.squares = prefixSums((value) => value * value);
    this.minVariance = Math.max(MIN_NOISE * this.neighbourNoise() ** 2, MIN_VARIANCE);
  }

  /** The cost of a segment as a level or as a line, whichever is less. */
  cost(begin, end, independence) {
    const n = end - begin;
    const { level, line } = this.fit(begin, end);
    const perParameter = Math.log(this.length) / 2;
    return Math.min(
      independence * n * Math.log(level / n + this.minVariance) + 2 * perParameter,
      independence * n * Math.log(line / n + this.minVariance) + 3 * perParameter,
    );
  }

  /** The value of the fitted level or line at an index, in the unit of the series. */
  fittedAt(begin, end, index) {
    const { level, line, slope } = this.fit(begin, end);
    const n = end - begin;
    const isLine =
      n * Math.log(line / n + this.minVariance) + Math.log(this.length) / 2 <
      n * Math.log(level / n + this.minVariance);
    const mean = between(this.sums, begin, end) / n;
    return this.mean + this.scale * (mean + (isLine ? slope * (index - (begin + end - 1) / 2) : 0));
  }

  /** The lag-1 autocorrelation around one line through all values, 0 to 1; with steps it is too high. */
  correlation() {
    const { slope } = this.fit(0, this.length);
    let [squares, products, last] = [0, 0, 0];
    this.values.forEach((value, i) => {
      const residual = value - slope * (i - (this.length - 1) / 2);
      squares += residual * residual;
      if (i > 0) products += residual * last;
      last = residual;
    });
    return squares > 0 ? Math.max(0, products / squares) : 0;
  }

  /** The sums of squared residuals around the mean and around the line, and the slope of the line. */
  fit(begin, end) {
    const n = end - begin;
    const sum = between(this.sums, begin, end);
    const time = between(this.times, begin, end);
    const level = Math.max(0, between(this.squares, begin, end) - (sum * sum) / n);
    const timeSquares = between(this.timeSquares, begin, end) - (time * time) / n;
    const products = between(this.products, begin, end) - (time * sum) / n;
    if (!(timeSquares > 0)) return { level, line: level, slope: 0 };
    return {
      level,
      line: Math.max(0, level - (products * products) / timeSquares),
      slope: products / timeSquares,
    };
  }

  /** The standard deviation of the noise, from the median second difference, which steps and lines do not affect. */
  neighbourNoise() {
    const { values } = this;
    const differences = values.slice(2).map((value, i) => Math.abs(value - 2 * values[i + 1] + values[i]));
    const middle = differences.length >> 1;
    const sorted = differences.sort((a, b) => a - b);
    const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return differences.length === 0 ? 0 : (1.4826 * median) / Math.sqrt(6);
  }
}

function between(sums, begin, end) {
  return sums[end] - sums[begin];
}
