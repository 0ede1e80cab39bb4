import type { SloOptions } from '../options/alert-options.js';
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

interface Slo extends SloOptions {
  readonly name: string;
  readonly limitMs: number;
  readonly ring: SloRing;
  /** Another objective of the same operation. */
  readonly next: Slo | undefined;
  /** Counted since the last {@link SloCounters.turn}. */
  total: number;
  bad: number;
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
      const slo: Slo = {
        ...options,
        name: sloName(options),
        limitMs: options.thresholdMs ?? Number.POSITIVE_INFINITY,
        ring: new SloRing(),
        next: this.byOperation.get(options.operation),
        total: 0,
        bad: 0,
      };
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

  /** To be called after {@link turn}. */
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
   * Adds what was saved to the objectives that still count the same: once, at the start. What is not right is passed
   * over.
   * @returns whether it was of this format
   */
  restore(saved: unknown, now: number): boolean {
    const { version, slos } = Object(saved) as { version?: unknown; slos?: unknown };
    if (version !== 1 || !Array.isArray(slos)) return false;
    for (const each of slos.slice(0, this.all.length)) {
      const ring = Object(each) as SavedSlos['slos'][number];
      const slo = this.all.find(
        ({ operation, type, thresholdMs }) =>
          operation === ring.operation && type === ring.type && thresholdMs === ring.thresholdMs,
      );
      slo?.ring.restore(ring, now);
    }
    return true;
  }
}

/** What an objective is called where it has no name: its operation. */
export function sloName({ name, operation }: SloOptions): string {
  return name ?? operation;
}
