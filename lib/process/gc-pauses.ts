import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import { Latencies } from '../inference/latencies.js';

export type GcType = 'minor' | 'major' | 'incremental' | 'weakcb';

/** From V8's kinds. Any other is a major collection. */
const TYPES: ReadonlyMap<number, GcType> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

/** Pauses whose times are kept: those of a minute of 30 collections a second. */
const KEPT = 2048;

/** What Node says of a collection. */
interface GcEntry extends PerformanceEntry {
  readonly detail?: { readonly kind?: number };
}

/**
 * Adds up the pauses of the garbage collector. Node reports them one turn of the event loop after they ended, so what ends in
 * the same turn learns of them later. The record of `v8.GCProfiler` is there at once, and useless for a service: each one
 * goes on recording until a major collection frees it, in time and memory that grow with all collections.
 */
export class GcPauses {
  /** Since the start, as far as they were reported. */
  totalMs = 0;
  count = 0;
  /** About what was allocated until the last {@link refresh}, in bytes: a minor collection follows when the new space is full. */
  allocatedBytes = 0;
  /** The same by type of collection; the types are those of OpenTelemetry's semantic conventions. */
  readonly byType = new Map<GcType, Latencies>();
  private readonly startedAt = new Float64Array(KEPT);
  private readonly endedAt = new Float64Array(KEPT);
  /** Minor collections whose allocations are not estimated yet. */
  private minor = 0;
  private observer: PerformanceObserver | undefined;

  start(): void {
    if (this.observer !== undefined) return;
    this.observer = new PerformanceObserver((list) => this.addAll(list.getEntries()));
    this.observer.observe({ type: 'gc' });
  }

  stop(): void {
    this.observer?.disconnect();
    this.observer = undefined;
  }

  /** Adds the pauses that were reported and not delivered yet. */
  refresh(): void {
    if (this.observer === undefined) return;
    this.addAll(this.observer.takeRecords());
    if (this.minor === 0) return;
    this.allocatedBytes += this.minor * youngBytes();
    this.minor = 0;
  }

  /**
   * How long pauses were within a time, as far as they were reported, in milliseconds.
   * @param from on the clock of `performance.now()`, as `to`
   * @returns undefined if it began before the pauses that are kept
   */
  within(from: number, to: number): number | undefined {
    const kept = Math.min(this.count, KEPT);
    let sum = 0;
    for (let back = 1; back <= kept; back++) {
      const at = (this.count - back) % KEPT;
      const endedAt = this.endedAt[at] as number;
      if (endedAt <= from) return sum;
      sum += Math.max(0, Math.min(to, endedAt) - Math.max(from, this.startedAt[at] as number));
    }
    return this.count > KEPT ? undefined : sum;
  }

  private addAll(entries: readonly GcEntry[]): void {
    for (const { startTime, duration, detail } of entries) {
      const at = this.count++ % KEPT;
      this.startedAt[at] = startTime;
      this.endedAt[at] = startTime + duration;
      this.add(TYPES.get(detail?.kind ?? 0) ?? 'major', duration);
    }
  }

  private add(type: GcType, ms: number): void {
    this.totalMs += ms;
    if (type === 'minor') this.minor++;
    let latencies = this.byType.get(type);
    if (latencies === undefined) {
      latencies = new Latencies();
      this.byType.set(type, latencies);
    }
    latencies.record(ms);
  }
}

/** What fits between two minor collections. */
function youngBytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  return space === undefined ? 0 : space.space_used_size + space.space_available_size;
}
