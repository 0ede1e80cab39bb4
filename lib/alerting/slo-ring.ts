/** Minutes for the last six hours, hours for the last three days, plus the current one of each. */
const MINUTES = 361;
const HOURS = 73;
const MINUTE_MS = 60_000;
const MINUTES_PER_HOUR = 60;
/** If the clock is set back by more than this, all counts are discarded. */
const MAX_BACK_MINUTES = 60;
/** The maximum of a 32-bit counter. */
const MAX_COUNT = 0xffff_ffff;

/** The number of a period since 1970, and its counts. */
export type SavedBucket = readonly [index: number, total: number, bad: number];

/** The ring as plain data. */
export interface SavedRing {
  readonly firstMinute: number;
  readonly lastAt?: number;
  readonly minutes: readonly SavedBucket[];
  readonly hours: readonly SavedBucket[];
}

/** Exact counts of the last three days in 3.4 KB: per minute for the last six hours, per hour before. */
export class SloRing {
  private readonly minutes = new Uint32Array(MINUTES * 2);
  private readonly hours = new Uint32Array(HOURS * 2);
  /** The numbers of the current minute and of the first counted one, since 1970; -1 for none. */
  private minute = -1;
  private firstMinute = -1;
  /** When counts were added last, in milliseconds since 1970. */
  lastAt: number | undefined;

  /** Adds counts to the current minute. `now` is milliseconds since 1970. */
  add(total: number, bad: number, now: number): void {
    this.turn(now);
    if (total === 0) return;
    this.lastAt = now;
    if (this.firstMinute < 0) this.firstMinute = this.minute;
    count(this.minutes, MINUTES, this.minute, total, bad);
    count(this.hours, HOURS, hourOf(this.minute), total, bad);
  }

  /**
   * The counts of the last minutes and the current one. More than six hours are rounded up to full hours.
   * @param minutes 1 to 4320
   */
  sum(minutes: number): { total: number; bad: number } {
    if (this.minute < 0) return { total: 0, bad: 0 };
    return minutes < MINUTES
      ? sum(this.minutes, MINUTES, this.minute, minutes)
      : sum(this.hours, HOURS, hourOf(this.minute), Math.ceil(minutes / MINUTES_PER_HOUR));
  }

  /** The time with data in minutes, up to three days. */
  get coveredMinutes(): number {
    return this.firstMinute < 0
      ? 0
      : Math.min((HOURS - 1) * MINUTES_PER_HOUR, this.minute - this.firstMinute + 1);
  }

  toJSON(): SavedRing {
    return {
      firstMinute: this.firstMinute,
      ...(this.lastAt === undefined ? {} : { lastAt: this.lastAt }),
      minutes: saved(this.minutes, MINUTES, this.minute),
      hours: saved(this.hours, HOURS, hourOf(this.minute)),
    };
  }

  /** Adds saved counts of the last three days. Older ones and those of the future are ignored. */
  restore(ring: SavedRing, now: number): void {
    this.turn(now);
    const { firstMinute, lastAt } = ring;
    if (isCount(lastAt) && lastAt <= now) this.lastAt = Math.max(lastAt, this.lastAt ?? 0);
    if (isCount(firstMinute) && firstMinute <= this.minute) {
      this.firstMinute = this.firstMinute < 0 ? firstMinute : Math.min(this.firstMinute, firstMinute);
    }
    add(this.minutes, MINUTES, this.minute, ring.minutes);
    add(this.hours, HOURS, hourOf(this.minute), ring.hours);
  }

  private turn(now: number): void {
    const minute = Math.floor(now / MINUTE_MS);
    if (minute === this.minute) return;
    if (this.minute - minute > MAX_BACK_MINUTES) {
      this.minutes.fill(0);
      this.hours.fill(0);
      this.firstMinute = -1;
    } else if (minute < this.minute) {
      return;
    } else if (this.minute >= 0) {
      clear(this.minutes, MINUTES, this.minute, minute);
      clear(this.hours, HOURS, hourOf(this.minute), hourOf(minute));
    }
    this.minute = minute;
  }
}

function hourOf(minute: number): number {
  return Math.floor(minute / MINUTES_PER_HOUR);
}

function count(counts: Uint32Array, size: number, index: number, total: number, bad: number): void {
  const at = (index % size) * 2;
  counts[at] = Math.min(MAX_COUNT, (counts[at] ?? 0) + total);
  counts[at + 1] = Math.min(MAX_COUNT, (counts[at + 1] ?? 0) + bad);
}

function sum(counts: Uint32Array, size: number, index: number, back: number) {
  let total = 0;
  let bad = 0;
  for (let i = Math.max(0, index - back); i <= index; i++) {
    const at = (i % size) * 2;
    total += counts[at] ?? 0;
    bad += counts[at + 1] ?? 0;
  }
  return { total, bad };
}

/** Resets the periods after `from` up to `to`. */
function clear(counts: Uint32Array, size: number, from: number, to: number): void {
  if (to - from >= size) counts.fill(0);
  else for (let i = from + 1; i <= to; i++) counts.fill(0, (i % size) * 2, (i % size) * 2 + 2);
}

function saved(counts: Uint32Array, size: number, index: number): SavedBucket[] {
  const buckets: SavedBucket[] = [];
  for (let i = Math.max(0, index - size + 1); i <= index; i++) {
    const at = (i % size) * 2;
    const total = counts[at] ?? 0;
    if (total > 0) buckets.push([i, total, counts[at + 1] ?? 0]);
  }
  return buckets;
}

function add(counts: Uint32Array, size: number, current: number, buckets: unknown): void {
  if (!Array.isArray(buckets)) return;
  for (const bucket of buckets.slice(0, size)) {
    const [index, total, bad] = (Array.isArray(bucket) ? bucket : []) as unknown[];
    if (!isCount(index) || !isCount(total) || !isCount(bad) || bad > total) continue;
    if (index <= current && index > current - size) count(counts, size, index, total, bad);
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
