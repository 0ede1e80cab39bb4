/** Maximum number of operations remembered; the one captured longest ago is dropped. */
const MAX_KEYS = 1000;
const HOUR_MS = 3_600_000;

/** Limits of automatic heap snapshots: a cooldown per operation, and a number per hour. */
export interface SnapshotLimits {
  readonly maxPerHour: number;
  readonly cooldownMs: number;
}

/** Counts automatic heap snapshots. Times are milliseconds of one clock. */
export class SnapshotQuota {
  private readonly lastAt = new Map<string, number>();
  /** The times of those within the last hour, oldest first. */
  private recent: number[] = [];

  constructor(private readonly limits: SnapshotLimits) {}

  /** Why no snapshot may be taken for this operation now, as a sentence; undefined if one may. */
  refusal(operationKey: string, now: number): string | undefined {
    const { maxPerHour, cooldownMs } = this.limits;
    const age = now - (this.lastAt.get(operationKey) ?? Number.NEGATIVE_INFINITY);
    if (age < cooldownMs) {
      return `A heap snapshot was taken for this operation ${seconds(age)} ago. The next one is allowed in ${seconds(cooldownMs - age)}.`;
    }
    this.recent = this.recent.filter((at) => now - at < HOUR_MS);
    if (this.recent.length >= maxPerHour) {
      return `${this.recent.length} heap snapshots were taken within the last hour; the limit is ${maxPerHour}.`;
    }
    return undefined;
  }

  count(operationKey: string, now: number): void {
    this.recent.push(now);
    if (this.recent.length > this.limits.maxPerHour) this.recent.shift();
    this.lastAt.delete(operationKey);
    this.lastAt.set(operationKey, now);
    if (this.lastAt.size > MAX_KEYS) this.lastAt.delete(this.lastAt.keys().next().value as string);
  }

  /** The number of operations remembered. */
  get size(): number {
    return this.lastAt.size;
  }
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`;
}
