/** One reading of the process. Times are cumulative milliseconds, memory is in bytes. */
export interface ResourceReading {
  /** Milliseconds on the clock of `performance.now()`. */
  at: number;
  heapUsed: number;
  heapTotal: number;
  external: number;
  rss: number;
  cpuUserMs: number;
  cpuSystemMs: number;
  eventLoopActiveMs: number;
  eventLoopIdleMs: number;
  /** The longest timer delay since the previous reading. */
  eventLoopDelayMaxMs: number;
  gcPauseMs: number;
  /** Of the thread, and of the control groups of the process. */
  threadCpuMs: number;
  runDelayMs: number;
  throttledMs: number;
}

const FIELDS = [
  'at',
  'heapUsed',
  'heapTotal',
  'external',
  'rss',
  'cpuUserMs',
  'cpuSystemMs',
  'eventLoopActiveMs',
  'eventLoopIdleMs',
  'eventLoopDelayMaxMs',
  'gcPauseMs',
  'threadCpuMs',
  'runDelayMs',
  'throttledMs',
] as const satisfies readonly (keyof ResourceReading)[];
const AT = 0;
const DELAY_MAX = 9;

/** The most recent readings in one flat array of fixed size: adding one allocates nothing. */
export class ResourceHistory {
  private readonly values: Float64Array;
  private added = 0;

  /** @param capacity the number of readings kept */
  constructor(private readonly capacity: number) {
    this.values = new Float64Array(capacity * FIELDS.length);
  }

  get length(): number {
    return Math.min(this.added, this.capacity);
  }

  add(reading: ResourceReading): void {
    const offset = (this.added % this.capacity) * FIELDS.length;
    for (let field = 0; field < FIELDS.length; field++) {
      this.values[offset + field] = reading[FIELDS[field] as keyof ResourceReading];
    }
    this.added++;
  }

  /** The newest reading, or the one `back` places before it. */
  last(back = 0): ResourceReading | undefined {
    if (back >= this.length) return undefined;
    const reading = {} as ResourceReading;
    FIELDS.forEach((name, field) => {
      reading[name] = this.value(this.added - 1 - back, field);
    });
    return reading;
  }

  /** The latest reading at least so many milliseconds older than the newest; else the oldest; undefined if there is no other. */
  earlier(ms: number): ResourceReading | undefined {
    const newest = this.added - 1;
    let back = 1;
    while (back < this.length - 1 && this.value(newest, AT) - this.value(newest - back, AT) < ms) back++;
    return this.last(back);
  }

  /** The readings before and after a moment; `present` stands for the one that follows the newest. */
  surrounding(moment: number, present: ResourceReading): { before: ResourceReading; after: ResourceReading } {
    let back = 0;
    while (back < this.length && this.value(this.added - 1 - back, AT) > moment) back++;
    const after = back === 0 ? present : (this.last(back - 1) as ResourceReading);
    return { before: this.last(back) ?? after, after };
  }

  /** The longest event-loop delay among the readings whose period overlaps the time since `from`. */
  delayMaxSince(from: number): number {
    let longest = 0;
    for (let index = this.added - 1; index >= this.added - this.length; index--) {
      if (this.value(index, AT) < from) break;
      longest = Math.max(longest, this.value(index, DELAY_MAX));
    }
    return longest;
  }

  private value(index: number, field: number): number {
    return this.values[(index % this.capacity) * FIELDS.length + field] as number;
  }
}
