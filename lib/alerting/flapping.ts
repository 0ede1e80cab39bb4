/** An alert flaps if it fires this often within the period. */
const TIMES = 4;
const PERIOD_MS = 3_600_000;

/**
 * Detects alerts that fire repeatedly. Bounded: beyond the capacity, the alert that has not fired for the longest time is
 * dropped.
 */
export class Flapping {
  /** How long the condition of a flapping alert must be gone before it resolves. */
  static readonly HOLD_MS = 600_000;
  private readonly times = new Map<string, number[]>();

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.times.size;
  }

  /** Records that an alert fires. @returns whether it flaps: at least the fourth time within an hour */
  fired(key: string, now: number): boolean {
    const times = (this.times.get(key) ?? []).filter((time) => now - time < PERIOD_MS).slice(1 - TIMES);
    times.push(now);
    // The order of the map is the order in which they fired last.
    this.times.delete(key);
    this.times.set(key, times);
    if (this.times.size > this.capacity) {
      for (const oldest of this.times.keys()) {
        this.times.delete(oldest);
        break;
      }
    }
    return times.length >= TIMES;
  }
}
