import { round } from '../text/round.js';
import { SLOT_MS, type Totals } from './segment-log.js';

const SLOTS = 60_000 / SLOT_MS;

/** The mean duration within each of the last minutes. A longer stretch gives each minute its share. */
export class MinuteMeans {
  private readonly sums: Float64Array;
  private readonly counts: Float64Array;
  private readonly from: number;

  /** @param end the slot at which the last minute ends */
  constructor(minutes: number, end: number) {
    this.sums = new Float64Array(minutes);
    this.counts = new Float64Array(minutes);
    this.from = end - minutes * SLOTS;
  }

  /** Adds what ended from slot `start` to before slot `end`. */
  add(start: number, end: number, { sum, count }: Totals): void {
    const slots = end - start;
    for (let slot = Math.max(start, this.from); slot < end; slot++) {
      const minute = Math.floor((slot - this.from) / SLOTS);
      (this.sums[minute] as number) += sum / slots;
      (this.counts[minute] as number) += count / slots;
    }
  }

  /** In milliseconds, the oldest first; null where nothing ended. */
  means(): (number | null)[] {
    return Array.from(this.counts, (count, minute) =>
      count === 0 ? null : round((this.sums[minute] as number) / count),
    );
  }
}
