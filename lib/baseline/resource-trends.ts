import type { Trend } from './trend.js';
import { TrendDetector } from './trend-detector.js';

/** What the process uses, at a moment. */
export interface ResourceUse {
  /** Bytes. */
  readonly heapUsed: number;
  readonly heapLimit: number;
  readonly rss: number;
  /** What the process may hold in all, where that is known. */
  readonly rssLimit: number | undefined;
  /** CPU time since the start, in milliseconds. */
  readonly cpuMs: number;
  /** The longest delay of a timer within the last second, in milliseconds. */
  readonly delayMaxMs: number | undefined;
}

/** Whether what the process uses drifts upwards. Constant memory. */
export class ResourceTrends {
  private readonly heap = new TrendDetector({ kind: 'resource', name: 'heap_used' }, 'bytes');
  private readonly rss = new TrendDetector({ kind: 'resource', name: 'rss' }, 'bytes');
  private readonly delay = new TrendDetector({ kind: 'resource', name: 'event_loop_delay' }, 'ms');
  private readonly cpu = new TrendDetector({ kind: 'resource', name: 'cpu' }, 'ratio');
  private readonly all = [this.heap, this.rss, this.delay, this.cpu];
  private before: { at: number; cpuMs: number } | undefined;

  /**
   * Adds what is used at `at`, in milliseconds since 1970.
   * @returns the trends that were not there before
   */
  add(at: number, use: ResourceUse): Trend[] {
    const known = new Set(this.all.filter(({ trend }) => trend !== undefined));
    this.heap.add(at, use.heapUsed, 1, use.heapLimit);
    this.rss.add(at, use.rss, 1, use.rssLimit);
    if (use.delayMaxMs !== undefined) this.delay.add(at, use.delayMaxMs);
    const { before } = this;
    // Of one core; a process with threads may use several.
    if (before !== undefined && at > before.at) {
      this.cpu.add(at, (use.cpuMs - before.cpuMs) / (at - before.at), 1, 1);
    }
    this.before = { at, cpuMs: use.cpuMs };
    return this.all.flatMap((detector) => (known.has(detector) ? [] : (detector.trend ?? [])));
  }

  /** Those that go on. */
  trends(): Trend[] {
    return this.all.flatMap(({ trend }) => trend ?? []);
  }
}
