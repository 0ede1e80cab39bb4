import type { SloOptions } from './alert-options.js';
import { BURN_WINDOWS, type BurnCount, type BurnRate, type BurnWindow } from './burn-rate.js';
import { type SavedRing, SloRing } from './slo-ring.js';

/** All counters as plain data, fit for JSON. */
export interface SavedSlos {
  readonly version: 1;
  readonly slos: readonly (SavedRing & {
    readonly operation: string;
    readonly type?: string;
    readonly thresholdMs?: number;
  })[];
}

/** The number of saved objectives that are read: as many as the options allow. */
const MAX_SAVED = 1000;

/** A class instead of spread options, which have different hidden classes and make counting ten times slower. */
class Slo {
  readonly name: string;
  readonly operation: string;
  readonly type: string | undefined;
  readonly objective: number;
  readonly thresholdMs: number | undefined;
  readonly limitMs: number;
  readonly ring = new SloRing();
  /** Counts since the last {@link SloCounters.turn}. */
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
 * Counts the operations with an objective exactly, since the error of a sketch would exceed an error budget. Counts are kept
 * without a time until the next `turn`, so that counting needs no clock.
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

  /** Counts one operation. Called for every operation; without an objective it costs one look-up. */
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

  /** Adds the counts to the current minute. Must be called several times a minute. */
  turn(now: number): void {
    for (const slo of this.all) {
      slo.ring.add(slo.total, slo.bad, now);
      slo.total = 0;
      slo.bad = 0;
    }
  }

  /** The state of each objective. */
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
        ...(ring.lastAt === undefined ? {} : { lastOperationAt: ring.lastAt }),
        ...(spent === undefined ? {} : { budgetRemaining: 1 - spent }),
      };
    });
  }

  /**
   * The counts up to the last {@link turn}, for {@link restore} in a later process: up to 7 KB per objective. They are those
   * of this instance only. Counts of other instances must not be added.
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
   * Adds saved counts to the objectives with the same operation, type and threshold. Call it once, at the start: a second
   * call would count twice. Invalid counts are ignored, as are those older than three days or of the future.
   * @returns whether the format is known
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

/** The name of an objective. Default: its operation. */
export function sloName({ name, operation }: SloOptions): string {
  return name ?? operation;
}
