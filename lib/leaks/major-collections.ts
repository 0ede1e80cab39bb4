// Not the globals, which a test of the application may have replaced.

import { constants, type PerformanceEntry, PerformanceObserver, performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { type LeakReading, MAX_DELAY_MS } from './leak-reading.js';

/** The load of the process. */
export interface Traffic {
  /** Requests in flight. */
  readonly inFlight: number;
  /** Requests since the start. */
  readonly requests: number;
}

/** A process short of memory collects many times per second; a reading takes about 20 us. */
const MIN_INTERVAL_MS = 250;
/** The resident set also grows without collections. */
const RESIDENT_INTERVAL_MS = 10_000;
/** These spaces contain what was allocated since the collection, which may be garbage. */
const YOUNG_SPACES: ReadonlySet<string> = new Set(['new_space', 'new_large_object_space']);

/**
 * Reads what remained after each major collection, up to four times per second, and the resident set every ten seconds.
 * The collector's entries arrive one turn of the event loop later, and an idle loop waits for its next timer. Objects
 * allocated meanwhile are young and are subtracted. If a minor collection has promoted some of them, a late reading is
 * dropped.
 */
export class MajorCollections {
  private observer: PerformanceObserver | undefined;
  private timer: NodeJS.Timeout | undefined;
  private collectedAt = Number.NEGATIVE_INFINITY;
  private readAt = Number.NEGATIVE_INFINITY;

  /**
   * @param traffic called once for each reading
   * @param listener its errors are dropped, because it is called between parts of the user's code
   */
  constructor(
    private readonly traffic: () => Traffic,
    private readonly listener: (reading: LeakReading) => void,
  ) {}

  start(): void {
    if (this.observer !== undefined) return;
    this.observer = new PerformanceObserver((list) => {
      // The last collection is the closest to now.
      let end = Number.NEGATIVE_INFINITY;
      let promotedSince = false;
      for (const entry of list.getEntries()) {
        const kind = kindOf(entry);
        if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) {
          end = entry.startTime + entry.duration;
          promotedSince = false;
        } else if (kind === constants.NODE_PERFORMANCE_GC_MINOR) {
          promotedSince = true;
        }
      }
      const now = performance.now();
      const late = promotedSince ? now - end : 0;
      if (end < 0 || late > MAX_DELAY_MS || now - this.collectedAt < MIN_INTERVAL_MS) return;
      this.collectedAt = now;
      this.read(now, late);
    });
    this.observer.observe({ entryTypes: ['gc'] });
    this.timer = setInterval(() => {
      const now = performance.now();
      if (now - this.readAt >= RESIDENT_INTERVAL_MS / 2) this.read(now, Number.NaN);
    }, RESIDENT_INTERVAL_MS);
    this.timer.unref();
  }

  stop(): void {
    this.observer?.disconnect();
    this.observer = undefined;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** @param late milliseconds since the collection; NaN if there was none */
  private read(now: number, late: number): void {
    this.readAt = now;
    try {
      const heap = getHeapStatistics();
      const afterCollection = !Number.isNaN(late);
      let young = 0;
      if (afterCollection) {
        for (const space of getHeapSpaceStatistics()) {
          if (YOUNG_SPACES.has(space.space_name)) young += space.space_used_size;
        }
      }
      const { external, arrayBuffers, rss } = process.memoryUsage();
      this.listener({
        // Not `Date.now()`, which may be set back.
        at: Math.round(performance.timeOrigin + now),
        heapUsed: afterCollection ? heap.used_heap_size - young : Number.NaN,
        heapResident: heap.total_physical_size,
        external,
        arrayBuffers,
        rss,
        ...this.traffic(),
        late: afterCollection ? late : 0,
      });
    } catch {
      // One reading is missing.
    }
  }
}

/** Entries of the collector have a kind, which the types omit. */
function kindOf(entry: PerformanceEntry): number | undefined {
  return (entry as PerformanceEntry & { detail?: { kind?: number } }).detail?.kind;
}
