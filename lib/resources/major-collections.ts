import { constants, type PerformanceEntry, PerformanceObserver, performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import type { LeakReading } from './leak-reading.js';

/** What is going on in the process besides its memory. */
export interface Traffic {
  /** Requests that are under way. */
  readonly inFlight: number;
  /** Requests since the start. */
  readonly requests: number;
}

/** Later than that, what was allocated since the collection is a good part of what is read. */
export const MOST_LATE_MS = 5;
/** A process short of memory collects many times a second; a reading costs some 20 us. */
const LEAST_MS = 250;
/** The resident set also grows where nothing is collected. */
const RESIDENT_EVERY_MS = 10_000;
/** What was allocated since the collection is in these, and may be garbage. */
const YOUNG_SPACES: ReadonlySet<string> = new Set(['new_space', 'new_large_object_space']);

/**
 * Tells after each major collection what remained, at most four times a second, and every ten seconds what is resident.
 * The collector's entries come a turn of the event loop later; readings that came too late are left out.
 */
export class MajorCollections {
  private observer: PerformanceObserver | undefined;
  private timer: NodeJS.Timeout | undefined;
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
      for (const entry of list.getEntries()) {
        if (kindOf(entry) === constants.NODE_PERFORMANCE_GC_MAJOR) end = entry.startTime + entry.duration;
      }
      const now = performance.now();
      if (now - end > MOST_LATE_MS || now - this.readAt < LEAST_MS) return;
      this.read(now, now - end);
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
        at: Date.now(),
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
