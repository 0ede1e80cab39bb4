import { GCProfiler } from 'node:v8';
import { Latencies } from '../inference/latencies.js';

export type GcType = 'minor' | 'major' | 'incremental' | 'weakcb';

/** V8's names. */
const TYPES: ReadonlyMap<string, GcType> = new Map([
  ['Scavenge', 'minor'],
  ['MinorMarkCompact', 'minor'],
  ['MinorMarkSweep', 'minor'],
  ['IncrementalMarking', 'incremental'],
  ['ProcessWeakCallbacks', 'weakcb'],
]);

/**
 * Adds up the pauses of the garbage collector. A `PerformanceObserver` is told of them a turn of the event loop
 * later, which is too late for the operation that made the garbage; V8's own record can be read at once.
 */
export class GcPauses {
  /** Since the start, until the last {@link refresh}. */
  totalMs = 0;
  count = 0;
  /** The same by what was collected: the types of OpenTelemetry's conventions. */
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

  /** Takes in what has happened since the last time. Some 20 us, and more the more there was. */
  refresh(): void {
    if (this.profiler === undefined) return;
    const { statistics } = this.profiler.stop() ?? { statistics: [] };
    for (const { gcType, cost } of statistics) this.add(gcType, cost / 1000);
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
