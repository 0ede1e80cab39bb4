/** Milliseconds: of what is read later, a good part was allocated since the collection. */
export const MOST_LATE_MS = 5;

/** What a process held at a moment. Bytes; NaN is what was not known then. */
export interface LeakReading {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What remained of the old generation after a major collection; NaN between collections, where garbage is in it. */
  readonly heapUsed: number;
  /** What of the heap is in memory, garbage and spare pages included; NaN where that is not known. */
  readonly heapResident: number;
  /** Outside the heap, held by objects in it; array buffers are part of it. */
  readonly external: number;
  readonly arrayBuffers: number;
  readonly rss: number;
  /** Requests that were under way. */
  readonly inFlight: number;
  /** Requests since the start. */
  readonly requests: number;
  /**
   * Milliseconds from the end of the collection to the reading: what became old in them is not garbage yet. 0 where
   * nothing did, as no minor collection came in between.
   */
  readonly late: number;
}
