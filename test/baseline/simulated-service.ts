import { performance } from 'node:perf_hooks';
import { Baseline, type BaselineDependencies } from '../../lib/baseline/baseline.js';
import type { BaselineOptions } from '../../lib/baseline/baseline-options.js';
import type { Regression } from '../../lib/baseline/regression.js';
import type { Trend } from '../../lib/baseline/trend.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { PARTS, type PartName } from '../../lib/statistics/operation-window.js';
import { Statistics } from '../../lib/statistics/statistics.js';

const MINUTE_MS = 60_000;
const TICK_MS = 10_000;

/** How an operation behaves in a simulation. */
export interface SimulatedOperation {
  readonly type?: string;
  readonly name: string;
  readonly perMinute: number;
  /** The median in milliseconds at a minute of the simulation, and the spread of the logarithms. */
  readonly medianMs: (minute: number) => number;
  readonly sigma?: number;
  readonly errorShare?: number;
  readonly queries?: number;
  /** The part that all of the time goes to. */
  readonly part?: PartName;
}

export interface Simulation {
  readonly version?: string;
  readonly seed?: number;
  readonly maxOperations?: number;
  readonly slo?: BaselineDependencies['slo'];
}

/** A service whose time is simulated: what it counts is real. */
export class SimulatedService {
  readonly opened: Regression[] = [];
  readonly trended: Trend[] = [];
  readonly errors: unknown[] = [];
  readonly warnings: string[] = [];
  readonly statistics: Statistics;
  readonly baseline: Baseline;
  minute = 0;
  private now: number;
  private readonly random: () => number;

  constructor(options: BaselineOptions, { version, seed = 1, maxOperations = 1000, slo }: Simulation = {}) {
    this.baseline = new Baseline(
      resolveOptions({ baseline: { warmUpSeconds: 0, ...options } }).baseline,
      {
        service: 'albums',
        version,
        maxOperations,
        operations: () => this.statistics.withHistory(),
        thresholdOf: () => 1000,
        onRegression: (regression) => this.opened.push(regression),
        onTrend: (trend) => this.trended.push(trend),
        onError: (error) => this.errors.push(error),
        ...(slo === undefined ? {} : { slo }),
      },
      (message) => this.warnings.push(message),
    );
    this.statistics = new Statistics(maxOperations, (type, name) => this.baseline.historyOf(type, name));
    // Windows that began before the start are of a process that warms up.
    this.now = Math.ceil(performance.now() / TICK_MS + 1) * TICK_MS;
    this.random = mulberry(seed);
  }

  /** Lets it serve for so many minutes. */
  run(minutes: number, operations: readonly SimulatedOperation[]): void {
    for (const end = this.minute + minutes; this.minute < end; this.minute++) {
      for (const operation of operations) this.serve(operation);
      for (let tick = 0; tick < MINUTE_MS / TICK_MS; tick++) {
        this.now += TICK_MS;
        this.baseline.tick(this.now);
      }
    }
  }

  private serve(operation: SimulatedOperation): void {
    const {
      type = 'http',
      name,
      perMinute,
      medianMs,
      sigma = 0.5,
      errorShare = 0,
      queries,
      part,
    } = operation;
    const times = Array.from({ length: perMinute }, () => this.random() * MINUTE_MS).sort((a, b) => a - b);
    for (const time of times) {
      const ms = medianMs(this.minute) * Math.exp(sigma * this.normal());
      const error = this.random() < errorShare;
      const history = this.statistics.record(type, name, ms, false, error, this.now + time);
      if (part !== undefined) {
        history?.addWork(
          PARTS.map((each) => (each === part ? ms : 0)),
          queries ?? 0,
        );
      }
    }
  }

  private normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.random()));
    return radius * Math.cos(2 * Math.PI * this.random());
  }
}

/** Mulberry32: the same seed, the same numbers. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
