import { SHEDDABLE, type SheddablePart } from './sheddable.js';

/** Windows above the budget after which a part pauses, and windows with room after which one comes back. */
const WINDOWS_ABOVE = 1;
const WINDOWS_WITH_ROOM = 2;
/** There is room for a part if the cost including it is below this share of the budget. */
const ROOM = 0.6;

/** A change of the ladder. */
export interface LadderChange {
  readonly part: SheddablePart;
  readonly state: 'paused' | 'resumed';
}

/** A change, or that nothing is left that could pause. */
export type LadderStep = LadderChange | 'exhausted' | undefined;

/** What the parts that run cost, in percent of a core. */
export type PartCosts = Readonly<Partial<Record<SheddablePart, number>>>;

/**
 * Decides which part pauses when the cost is above its budget, and when it comes back. The dearest part that runs pauses first;
 * among equal ones, that which comes first in {@link SHEDDABLE}. The last one that paused comes back first. Knows no clock: a
 * step is a window of the measurement.
 */
export class Ladder {
  /** What pauses, and the rest of the cost multiplied by how much was saved by it. The first one that paused first. */
  private readonly paused = new Map<SheddablePart, number>();
  private above = 0;
  private withRoom = 0;
  private isExhausted = false;

  constructor(private readonly budget: number) {}

  /** The parts that pause, in the order in which they did. */
  get shed(): SheddablePart[] {
    return [...this.paused.keys()];
  }

  /** A window has ended. @param cost all of the cost, in the unit of the budget */
  step(cost: number, parts: PartCosts): LadderStep {
    if (cost <= this.budget) this.isExhausted = false;
    this.above = cost > this.budget ? this.above + 1 : 0;
    const last = [...this.paused].at(-1);
    const hasRoom = last !== undefined && cost * last[1] < ROOM * this.budget;
    this.withRoom = hasRoom ? this.withRoom + 1 : 0;
    if (this.above >= WINDOWS_ABOVE) return this.pause(cost, parts);
    return this.withRoom >= WINDOWS_WITH_ROOM && last !== undefined ? this.resume(last[0]) : undefined;
  }

  private pause(cost: number, parts: PartCosts): LadderStep {
    let dearest: SheddablePart | undefined;
    let most = 0;
    for (const part of SHEDDABLE) {
      const own = this.paused.has(part) ? 0 : (parts[part] ?? 0);
      if (own <= most) continue;
      dearest = part;
      most = own;
    }
    if (dearest === undefined) {
      const wasExhausted = this.isExhausted;
      this.isExhausted = true;
      return wasExhausted ? undefined : 'exhausted';
    }
    const rest = cost - most;
    // The load may be another one when it comes back: its cost is taken as growing with the rest.
    this.paused.set(dearest, rest > 0 ? cost / rest : 1);
    this.above = 0;
    return { part: dearest, state: 'paused' };
  }

  private resume(part: SheddablePart): LadderChange {
    this.paused.delete(part);
    this.withRoom = 0;
    return { part, state: 'resumed' };
  }
}
