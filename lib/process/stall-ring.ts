import type { Stall } from './stall.js';

/** The last stalls, in the order in which they ended. */
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

  /** Those that overlap the time from `from` to `to`, the oldest first. Looks at no more than the newer ones. */
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
