/** The operations that are remembered; beyond, the one that was captured longest ago is forgotten. */
const MAX_KEYS = 1000;
const HOUR_MS = 3_600_000;

/** How often a heap snapshot may be taken by itself: once in a while for each operation, and so often an hour. */
export interface SnapshotLimits {
  readonly maxPerHour: number;
  readonly cooldownMs: number;
}

/** Counts the heap snapshots that nobody asked for. Times are in milliseconds, of one clock. */
export class SnapshotQuota {
  private readonly lastAt = new Map<string, number>();
  /** When those of the last hour were taken, the oldest first. */
  private recent: number[] = [];

  constructor(private readonly limits: SnapshotLimits) {}

  /** Why no snapshot may be taken for this operation now, as a sentence. Nothing if it may. */
  refusal(operationKey: string, now: number): string | undefined {
    const { maxPerHour, cooldownMs } = this.limits;
    const age = now - (this.lastAt.get(operationKey) ?? Number.NEGATIVE_INFINITY);
    if (age < cooldownMs) {
      return `A heap snapshot was taken for this operation ${seconds(age)} ago, and another one may be taken in ${seconds(cooldownMs - age)}.`;
    }
    this.recent = this.recent.filter((at) => now - at < HOUR_MS);
    if (this.recent.length >= maxPerHour) {
      return `${this.recent.length} heap snapshots were taken within the last hour, and the limit is ${maxPerHour}.`;
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

  /** How many operations are remembered. */
  get size(): number {
    return this.lastAt.size;
  }
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`;
}
