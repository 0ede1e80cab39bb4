/**
 * Maximum delay of a reading in milliseconds: a later one contains too much that was allocated since the collection.
 */
export const MAX_DELAY_MS = 5;

/** The memory of a process at one time. In bytes; NaN if unknown. */
export interface LeakReading {
  /** Milliseconds since 1970. */
  readonly at: number;
  /**
   * What remained of the old generation after a major collection; NaN between collections, when it includes garbage.
   */
  readonly heapUsed: number;
  /** The resident part of the heap, garbage and spare pages included; NaN if unknown. */
  readonly heapResident: number;
  /** Memory outside the heap that objects hold, array buffers included. */
  readonly external: number;
  readonly arrayBuffers: number;
  readonly rss: number;
  /** Requests in flight. */
  readonly inFlight: number;
  /** Requests since the start. */
  readonly requests: number;
  /**
   * Milliseconds from the end of the collection to the reading: objects promoted meanwhile may be garbage. 0 if no
   * minor collection promoted any.
   */
  readonly late: number;
}
