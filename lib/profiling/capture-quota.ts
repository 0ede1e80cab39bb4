/** The operations that are remembered; beyond, the one that was captured longest ago is forgotten. */
const MAX_KEYS = 1000;
const MINUTE_MS = 60_000;

/** How often slow operations are worth a file: each once in a while, and all together so many times a minute. */
export class CaptureQuota {
  private readonly lastAt = new Map<string, number>();
  private minuteAt = Number.NEGATIVE_INFINITY;
  private inMinute = 0;
  /** Slow operations that got no file for it. */
  skipped = 0;

  constructor(
    private readonly cooldownMs: number,
    private readonly perMinute: number,
  ) {}

  /** Whether this operation may be captured now; if so, that counts. */
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

  /** How many operations are remembered. */
  get size(): number {
    return this.lastAt.size;
  }
}
