/** So often within the period, and it flaps. */
const TIMES = 4;
const PERIOD_MS = 3_600_000;

/**
 * Knows what fired when, to tell what fires again and again. Bounded: what did not fire for the longest time is
 * forgotten first.
 */
export class Flapping {
  /** How long what flaps must be quiet before it is resolved. */
  static readonly HOLD_MS = 600_000;
  private readonly times = new Map<string, number[]>();

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.times.size;
  }

  /** Notes that it fires. Returns whether it is the fourth time within an hour, or one after that. */
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
