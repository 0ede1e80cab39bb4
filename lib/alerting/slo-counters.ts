import type { SloOptions } from './alert-options.js';
import { BURN_WINDOWS, type BurnCount, type BurnRate, type BurnWindow } from './burn-rate.js';
import { type SavedRing, SloRing } from './slo-ring.js';

/** The counters as plain data, fit for JSON. */
export interface SavedSlos {
  readonly version: 1;
  readonly slos: readonly (SavedRing & {
    readonly operation: string;
    readonly type?: string;
    readonly thresholdMs?: number;
  })[];
}

/** Objectives that are looked at of what was saved: as many as options may have. */
const MAX_SAVED = 1000;

/** A class and no spread options: those would all be of different shapes to the engine, and counting ten times as slow. */
class Slo {
  readonly name: string;
  readonly operation: string;
  readonly type: string | undefined;
  readonly objective: number;
  readonly thresholdMs: number | undefined;
  readonly limitMs: number;
  readonly ring = new SloRing();
  /** Counted since the last {@link SloCounters.turn}. */
  total = 0;
  bad = 0;

  /** @param next another objective of the same operation */
  constructor(
    options: SloOptions,
    readonly next: Slo | undefined,
  ) {
    this.name = sloName(options);
    this.operation = options.operation;
    this.type = options.type;
    this.objective = options.objective;
    this.thresholdMs = options.thresholdMs;
    this.limitMs = options.thresholdMs ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * Counts the operations that have an objective, exactly: a sketch would be off by more than an error budget is wide.
 * What is counted waits in two numbers until `turn` gives it a time, so that counting needs no clock.
 */
export class SloCounters {
  private readonly byOperation = new Map<string, Slo>();
  private readonly all: readonly Slo[];

  constructor(slos: readonly SloOptions[]) {
    this.all = slos.map((options) => {
      const slo = new Slo(options, this.byOperation.get(options.operation));
      this.byOperation.set(options.operation, slo);
      return slo;
    });
  }

  /** The number of objectives. */
  get size(): number {
    return this.all.length;
  }

  /** Counts one operation. On the way of each: for one without an objective it is a look-up alone. */
  record(operation: string, durationMs: number, error: boolean, type?: string): void {
    let slo = this.byOperation.get(operation);
    while (slo !== undefined) {
      if (slo.type === undefined || slo.type === type) {
        slo.total++;
        if (error || durationMs > slo.limitMs) slo.bad++;
      }
      slo = slo.next;
    }
  }

  /** Puts what was counted into the present minute: to be called several times a minute. */
  turn(now: number): void {
    for (const slo of this.all) {
      slo.ring.add(slo.total, slo.bad, now);
      slo.total = 0;
      slo.bad = 0;
    }
  }

  /** How each objective stands. */
  burnRates(now: number): BurnRate[] {
    this.turn(now);
    return this.all.map(({ name, operation, type, objective, thresholdMs, ring }) => {
      const windows = {} as Record<BurnWindow, BurnCount>;
      for (const window of Object.keys(BURN_WINDOWS) as BurnWindow[]) {
        const { total, bad } = ring.sum(BURN_WINDOWS[window]);
        windows[window] = total === 0 ? { total, bad } : { total, bad, rate: bad / total / (1 - objective) };
      }
      const spent = windows['3d'].rate;
      return {
        slo: name,
        operation,
        ...(type === undefined ? {} : { type }),
        objective,
        ...(thresholdMs === undefined ? {} : { thresholdMs }),
        windows,
        coveredMinutes: ring.coveredMinutes,
        ...(spent === undefined ? {} : { budgetRemaining: 1 - spent }),
      };
    });
  }

  /**
   * What was counted until the last {@link turn}, for {@link restore} of a later process: some 7 KB for each objective
   * at the most, less where there is little traffic. The counts are of this instance alone; another one's must not be
   * added to them.
   */
  toJSON(): SavedSlos {
    return {
      version: 1,
      slos: this.all.map(({ operation, type, thresholdMs, ring }) => ({
        operation,
        ...(type === undefined ? {} : { type }),
        ...(thresholdMs === undefined ? {} : { thresholdMs }),
        ...ring.toJSON(),
      })),
    };
  }

  /**
   * Adds what was saved to the objectives that still count the same, which are those with the operation, the type and
   * the threshold of then; the objective itself may be another. To be called once, at the start: a second time would
   * count twice. What is not right is passed over, and so is what is older than three days or of the future. Time in
   * which no process ran has no requests and so is no bad time.
   * @returns whether it was of this format
   */
  restore(saved: unknown, now: number): boolean {
    const { version, slos } = Object(saved) as { version?: unknown; slos?: unknown };
    if (version !== 1 || !Array.isArray(slos)) return false;
    const left = new Set(this.all);
    for (const each of slos.slice(0, MAX_SAVED)) {
      const ring = Object(each) as SavedSlos['slos'][number];
      const slo = [...left].find(
        ({ operation, type, thresholdMs }) =>
          operation === ring.operation && type === ring.type && thresholdMs === ring.thresholdMs,
      );
      if (slo === undefined) continue;
      left.delete(slo);
      slo.ring.restore(ring, now);
    }
    return true;
  }
}

/** What an objective is called where it has no name: its operation. */
export function sloName({ name, operation }: SloOptions): string {
  return name ?? operation;
}
