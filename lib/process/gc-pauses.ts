import { GCProfiler } from 'node:v8';
import { Latencies } from '../inference/latencies.js';

export type GcType = 'minor' | 'major' | 'incremental' | 'weakcb';

/** From V8's names. Any other is a major collection. */
const TYPES: ReadonlyMap<string, GcType> = new Map([
  ['Scavenge', 'minor'],
  ['MinorMarkCompact', 'minor'],
  ['MinorMarkSweep', 'minor'],
  ['IncrementalMarking', 'incremental'],
  ['ProcessWeakCallbacks', 'weakcb'],
]);

/**
 * Adds up the pauses of the garbage collector. A `PerformanceObserver` would receive them one turn of the event loop
 * later, which is too late for the operation that caused the garbage. V8's own record is available at once.
 */
export class GcPauses {
  /** Since the start, as of the last {@link refresh}. */
  totalMs = 0;
  count = 0;
  /** What was allocated from the first collection until the last one, in bytes. */
  allocatedBytes = 0;
  private leftBytes: number | undefined;
  /** The same by type of collection; the types are those of OpenTelemetry's semantic conventions. */
  readonly byType = new Map<GcType, Latencies>();
  private profiler: GCProfiler | undefined;

  start(): void {
    if (this.profiler !== undefined) return;
    this.profiler = new GCProfiler();
    this.profiler.start();
  }

  stop(): void {
    this.profiler?.stop();
    this.profiler = undefined;
  }

  /** Adds the pauses since the last call. Takes about 20 us, and longer with the number of pauses. */
  refresh(): void {
    if (this.profiler === undefined) return;
    const { statistics } = this.profiler.stop() ?? { statistics: [] };
    for (const { gcType, cost, beforeGC, afterGC } of statistics) {
      this.add(gcType, cost / 1000);
      const usedBytes = beforeGC.heapStatistics.usedHeapSize;
      this.allocatedBytes += Math.max(0, usedBytes - (this.leftBytes ?? usedBytes));
      this.leftBytes = afterGC.heapStatistics.usedHeapSize;
    }
    this.count += statistics.length;
    this.profiler = new GCProfiler();
    this.profiler.start();
  }

  private add(gcType: string, ms: number): void {
    this.totalMs += ms;
    const type = TYPES.get(gcType) ?? 'major';
    let latencies = this.byType.get(type);
    if (latencies === undefined) {
      latencies = new Latencies();
      this.byType.set(type, latencies);
    }
    latencies.record(ms);
  }
}
