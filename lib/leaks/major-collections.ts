// Not the global ones, which a test of the application may have replaced.

import { constants, type PerformanceEntry, PerformanceObserver, performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { type LeakReading, MOST_LATE_MS } from './leak-reading.js';

/** What is going on in the process besides its memory. */
export interface Traffic {
  /** Requests that are under way. */
  readonly inFlight: number;
  /** Requests since the start. */
  readonly requests: number;
}

/** A process short of memory collects many times a second; a reading costs some 20 us. */
const LEAST_MS = 250;
/** The resident set also grows where nothing is collected. */
const RESIDENT_EVERY_MS = 10_000;
/** What was allocated since the collection is in these, and may be garbage. */
const YOUNG_SPACES: ReadonlySet<string> = new Set(['new_space', 'new_large_object_space']);

/**
 * Tells after each major collection what remained, at most four times a second, and every ten seconds what is resident.
 * The collector's entries come a turn of the event loop later, and a loop that has nothing to do waits for its next timer.
 * Meanwhile allocated objects are young and are not counted, unless a minor collection has made some of them old: then
 * a reading that is late is left out.
 */
export class MajorCollections {
  private observer: PerformanceObserver | undefined;
  private timer: NodeJS.Timeout | undefined;
  private collectedAt = Number.NEGATIVE_INFINITY;
  private readAt = Number.NEGATIVE_INFINITY;

  /**
   * @param traffic asked once for each reading
   * @param listener what it throws is dropped: it is called between pieces of the user's code
   */
  constructor(
    private readonly traffic: () => Traffic,
    private readonly listener: (reading: LeakReading) => void,
  ) {}

  start(): void {
    if (this.observer !== undefined) return;
    this.observer = new PerformanceObserver((list) => {
      // The last one is the nearest to now.
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
      if (end < 0 || late > MOST_LATE_MS || now - this.collectedAt < LEAST_MS) return;
      this.collectedAt = now;
      this.read(now, late);
    });
    this.observer.observe({ entryTypes: ['gc'] });
    this.timer = setInterval(() => {
      const now = performance.now();
      if (now - this.readAt >= RESIDENT_EVERY_MS / 2) this.read(now, Number.NaN);
    }, RESIDENT_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    this.observer?.disconnect();
    this.observer = undefined;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** @param late milliseconds since the collection; NaN where there was none */
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
        // Not the time of the day, which may be set back.
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
      // A reading less.
    }
  }
}

/** Entries of the collector carry their kind, which the types leave out. */
function kindOf(entry: PerformanceEntry): number | undefined {
  return (entry as PerformanceEntry & { detail?: { kind?: number } }).detail?.kind;
}
