/** Maximum number of operations remembered; the one captured longest ago is dropped. */
const MAX_KEYS = 1000;
const MINUTE_MS = 60_000;

/** Limits how often slow operations are written to a file: per operation by a cooldown, and in total per minute. */
export class CaptureQuota {
  private readonly lastAt = new Map<string, number>();
  private minuteAt = Number.NEGATIVE_INFINITY;
  private inMinute = 0;
  /** Slow operations that were not captured because of the limits. */
  skipped = 0;

  constructor(
    private readonly cooldownMs: number,
    private readonly perMinute: number,
  ) {}

  /** Whether this operation may be captured now. If so, it is counted. */
  take(key: string, now: number): boolean {
    // The clock may have been set back.
    if (now - this.minuteAt >= MINUTE_MS || now < this.minuteAt) {
      this.minuteAt = now;
      this.inMinute = 0;
    }
    const last = this.lastAt.get(key);
    if (
      this.inMinute >= this.perMinute ||
      (last !== undefined && now >= last && now - last < this.cooldownMs)
    ) {
      this.skipped++;
      return false;
    }
    this.inMinute++;
    this.lastAt.delete(key);
    this.lastAt.set(key, now);
    if (this.lastAt.size > MAX_KEYS) this.lastAt.delete(this.lastAt.keys().next().value as string);
    return true;
  }

  /** The number of operations remembered. */
  get size(): number {
    return this.lastAt.size;
  }
}
