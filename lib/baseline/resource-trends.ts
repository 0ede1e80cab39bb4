import type { Trend } from './trend.js';
import { TrendDetector } from './trend-detector.js';

/** The resources that the process uses at one moment. */
export interface ResourceUse {
  /** Bytes. */
  readonly heapUsed: number;
  readonly heapLimit: number;
  readonly rss: number;
  /** The memory limit of the process in bytes, if known. */
  readonly rssLimit: number | undefined;
  /** CPU time since the start of the process. */
  readonly cpuMs: number;
  /** The longest delay of a timer within the last second. */
  readonly delayMaxMs: number | undefined;
}

/** Detects slow rises of the resources that the process uses. Constant memory. */
export class ResourceTrends {
  private readonly heap = new TrendDetector({ kind: 'resource', name: 'heap_used' }, 'bytes');
  private readonly rss = new TrendDetector({ kind: 'resource', name: 'rss' }, 'bytes');
  private readonly delay = new TrendDetector({ kind: 'resource', name: 'event_loop_delay' }, 'ms');
  private readonly cpu = new TrendDetector({ kind: 'resource', name: 'cpu' }, 'ratio');
  private readonly all = [this.heap, this.rss, this.delay, this.cpu];
  private before: { at: number; cpuMs: number } | undefined;

  /**
   * Adds one reading. @param at milliseconds since 1970
   * @returns the trends that began with it
   */
  add(at: number, use: ResourceUse): Trend[] {
    const known = new Set(this.all.filter(({ trend }) => trend !== undefined));
    this.heap.add(at, use.heapUsed, 1, use.heapLimit);
    this.rss.add(at, use.rss, 1, use.rssLimit);
    if (use.delayMaxMs !== undefined) this.delay.add(at, use.delayMaxMs);
    const { before } = this;
    // Relative to one core; a process with threads may use several.
    if (before !== undefined && at > before.at) {
      this.cpu.add(at, (use.cpuMs - before.cpuMs) / (at - before.at), 1, 1);
    }
    this.before = { at, cpuMs: use.cpuMs };
    return this.all.flatMap((detector) => (known.has(detector) ? [] : (detector.trend ?? [])));
  }

  /** The current trends. */
  trends(): Trend[] {
    return this.all.flatMap(({ trend }) => trend ?? []);
  }
}
