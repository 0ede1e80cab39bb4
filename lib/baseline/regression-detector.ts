import type { OperationWindow } from '../statistics/operation-window.js';
import { candidateOf, LATENCY_STREAMS, STREAMS } from './candidate-search.js';
import type { RegressionMetric } from './regression.js';
import type { Candidate } from './regression-candidate.js';
import { type RegressionSettings, regressionSettings } from './regression-settings.js';
import { bestSplit, deviationOf } from './regression-test.js';
import type { WindowMetric } from './window-metric.js';
import type { WindowModel } from './window-model.js';
import { RING_WINDOWS, WindowRing } from './window-ring.js';

/** Page's (1954) cumulative sum of standardised residuals: what is taken off each, the sum that is looked at, and the most. */
const ALLOWANCE = 0.5;
const ALARM = 4;
const MOST_SUM = 25;
const MOST_DEVIATION = 4;
/** Windows are learned so many windows later: by then a change that began in them has been noticed. */
const LAG = 6;
/** What one window may say at the most about whether a regression is over: it takes three of them. */
const MOST_RECOVERY = 2;
/** The series that a candidate's figures are of. */
const SERIES: Readonly<Record<Candidate['of'], WindowMetric>> = {
  median: 'p50',
  mean: 'mean',
  p90: 'p90',
  p99: 'p99',
  error_rate: 'error_rate',
  queries: 'queries',
};

const NONE: readonly Candidate[] = [];

/** Whether one operation got worse, window by window. Constant memory: 2.6 KB. */
export class RegressionDetector {
  readonly ring = new WindowRing();
  /** The sum of each series, then the window in which it left 0: in one array, as each takes some 100 bytes for itself. */
  private readonly sums = new Float32Array(2 * STREAMS.length);
  private learned = 0;
  /** The first window of what is suspected or open: from it on nothing is learned. */
  heldFrom = Number.POSITIVE_INFINITY;

  /** @param startedAt when the process started */
  constructor(
    private readonly startedAt = Number.NEGATIVE_INFINITY,
    private readonly settings: RegressionSettings = regressionSettings(),
  ) {}

  /**
   * Takes a window and says what got worse; mostly nothing, which costs some microseconds.
   * @param model what the operation was like before: its own, or that of the last version
   * @param followed what is suspected or told already, and need not be found again
   */
  observe(
    window: OperationWindow,
    model: WindowModel,
    against: Candidate['against'] = 'baseline',
    followed?: { has(metric: RegressionMetric): boolean },
  ): readonly Candidate[] {
    if (!this.isFit(window)) return NONE;
    this.ring.push(window);
    if (model.weight < this.settings.minModelWindows) return NONE;
    let alarmed = 0;
    for (let stream = 0; stream < STREAMS.length; stream++) {
      const { tells } = STREAMS[stream] as (typeof STREAMS)[number];
      if (this.accumulate(stream, model) && followed?.has(tells) !== true) alarmed |= 1 << stream;
    }
    return alarmed === 0 ? NONE : this.candidates(alarmed, model, against);
  }

  /** What may be learned now: windows that are some windows old and in which nothing is suspected. */
  takeLearnable(model: WindowModel): OperationWindow[] {
    const { ring } = this;
    const lag = model.weight < this.settings.minModelWindows ? 0 : LAG;
    let until = Math.min(ring.end - lag, this.heldFrom);
    for (let stream = 0; stream < STREAMS.length; stream++) {
      if ((this.sums[stream] as number) > ALARM)
        until = Math.min(until, this.sums[STREAMS.length + stream] as number);
    }
    // What falls out of the ring without a verdict is learned: what is suspected in vain must not be missing.
    until = Math.max(until, Math.min(ring.end - RING_WINDOWS + 1, this.heldFrom));
    const windows: OperationWindow[] = [];
    for (; this.learned < until; this.learned++)
      if (this.learned >= ring.first) windows.push(ring.window(this.learned));
    return windows;
  }

  /** The same change with the windows that came since, its beginning told anew; nothing where there is no change. */
  review({ metric, against, split }: Candidate, model: WindowModel): Candidate | undefined {
    const compared = { ring: this.ring, model, against, settings: this.settings };
    const from = Math.max(split, this.ring.first);
    const fixed = candidateOf(metric, compared, () => from);
    const moved = candidateOf(metric, compared, (stream) => bestSplit(this.ring, model, stream));
    return moved !== undefined && moved.pValue < (fixed?.pValue ?? 1) ? moved : fixed;
  }

  /** How much the last window speaks for that the figures came back, in standard deviations; below 0 for against it. */
  recovery({ of, before, now }: Candidate, model: WindowModel): number {
    const { ring } = this;
    const last = ring.end - 1;
    const stream = SERIES[of];
    const isLog = stream !== 'error_rate' && stream !== 'queries';
    const expected = model.expectation(stream, ring.middle(last));
    const grown = isLog ? Math.log(now / before) : now - before;
    const spread = model.spreadAt(stream, ring.count(last));
    const evidence = (expected + grown / 2 - ring.value(last, stream)) / spread;
    return Number.isNaN(evidence) ? 0 : Math.max(-MOST_RECOVERY, Math.min(MOST_RECOVERY, evidence));
  }

  /** Forgets what it suspects, and takes the last windows as they are. */
  settle(): void {
    this.sums.fill(0);
    this.heldFrom = Number.POSITIVE_INFINITY;
    this.learned = this.ring.end;
  }

  private isFit({ startedAt, count }: OperationWindow): boolean {
    return startedAt >= this.startedAt + this.settings.coldStartMs && count >= this.settings.minCount;
  }

  private accumulate(stream: number, model: WindowModel): boolean {
    const { ring } = this;
    const last = ring.end - 1;
    const metric = (STREAMS[stream] as (typeof STREAMS)[number]).of;
    const deviation = deviationOf(
      model,
      metric,
      ring.value(last, metric),
      ring.middle(last),
      ring.count(last),
    );
    if (Number.isNaN(deviation)) return false;
    const before = this.sums[stream] as number;
    if (before === 0) this.sums[STREAMS.length + stream] = last;
    const sum = before + Math.min(MOST_DEVIATION, deviation) - ALLOWANCE;
    this.sums[stream] = Math.max(0, Math.min(MOST_SUM, sum));
    return sum > ALARM;
  }

  private candidates(
    alarmed: number,
    model: WindowModel,
    against: Candidate['against'],
  ): readonly Candidate[] {
    const found: Candidate[] = [];
    const latency = alarmed & ((1 << LATENCY_STREAMS) - 1);
    const compared = { ring: this.ring, model, against, settings: this.settings };
    const split = (metric: WindowMetric) => bestSplit(this.ring, model, metric);
    for (let stream = latency === 0 ? LATENCY_STREAMS : 0; stream < STREAMS.length; stream++) {
      if ((alarmed & (1 << stream)) === 0) continue;
      const { tells } = STREAMS[stream] as (typeof STREAMS)[number];
      if (found.some(({ metric }) => metric === tells)) continue;
      const candidate = candidateOf(tells, compared, split);
      if (candidate !== undefined) found.push(candidate);
    }
    return found;
  }
}
