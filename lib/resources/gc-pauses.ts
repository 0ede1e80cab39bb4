import { GCProfiler } from 'node:v8';

/**
 * Adds up the pauses of the garbage collector. A `PerformanceObserver` is told of them a turn of the event loop
 * later, which is too late for the operation that made the garbage; V8's own record can be read at once.
 */
export class GcPauses {
  /** Since the start, until the last {@link refresh}. */
  totalMs = 0;
  count = 0;
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
    for (const { cost } of statistics) this.totalMs += cost / 1000;
    this.count += statistics.length;
    this.profiler = new GCProfiler();
    this.profiler.start();
  }
}
