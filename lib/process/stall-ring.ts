import type { Stall } from './stall.js';

/** The most recent stalls, in the order in which they ended. */
export class StallRing {
  private readonly stalls: Stall[] = [];
  private next = 0;

  constructor(private readonly capacity: number) {}

  get length(): number {
    return this.stalls.length;
  }

  add(stall: Stall): void {
    this.stalls[this.next] = stall;
    this.next = (this.next + 1) % this.capacity;
  }

  /** Stalls that overlap the interval, oldest first. Visits only those that ended after `from`. */
  within(from: number, to: number): Stall[] {
    const found: Stall[] = [];
    const { length } = this.stalls;
    for (let back = 1; back <= length; back++) {
      const stall = this.stalls[(this.next - back + length) % length];
      if (stall === undefined || stall.endedAt <= from) break;
      if (stall.startedAt < to) found.push(stall);
    }
    return found.reverse();
  }
}
