import { LEAKING_MEMORIES, type Leak, type LeakingMemory } from './leak.js';
import { type LeakReading, MAX_DELAY_MS } from './leak-reading.js';
import { type LeakingGrowth, type LeakPlace, LeakSeries, type SeriesRules } from './leak-series.js';
import { LeakSuspects, type OperationCount } from './leak-suspects.js';
import { explainLeak } from './leak-words.js';

/** The limits of the process, and its operations. */
export interface LeakDetectorOptions {
  /** `heap_size_limit` of `v8.getHeapStatistics()`. */
  readonly heapLimitBytes: number;
  /** The limit of the whole process in bytes, such as that of a container. */
  readonly rssLimitBytes?: number;
  /** The executions of the busiest operations since the start, up to 32; called at most once per second. */
  readonly operations?: () => Iterable<OperationCount>;
}

const MB = 2 ** 20;
const HOUR_MS = 3_600_000;
/**
 * The resident set grows by itself for minutes, through compiled code, fragmentation and pages that the allocator
 * keeps, so its growth must be larger and last longer.
 */
const RULES: Record<LeakingMemory, SeriesRules> = {
  heap: { least: { bytes: MB, share: 0.05 }, finest: 0 },
  external: { least: { bytes: MB, share: 0.05 }, finest: 0 },
  rss: { least: { bytes: 16 * MB, share: 0.15 }, finest: 2 },
};

/**
 * Finds memory leaks in what remains after major collections. Deterministic: has no clock and does not read the
 * process. Takes about 40 KB however long it runs, and 300 KB with 32 operations.
 */
export class LeakDetector {
  private readonly series = Object.fromEntries(
    LEAKING_MEMORIES.map((memory) => [memory, new LeakSeries(RULES[memory])]),
  ) as Record<LeakingMemory, LeakSeries>;
  private readonly suspects: LeakSuspects | undefined;
  private latest: LeakReading | undefined;
  private latestExternal = 0;
  private latestHeap = 0;

  /** @throws RangeError that names an invalid limit */
  constructor(private readonly options: LeakDetectorOptions) {
    for (const name of ['heapLimitBytes', 'rssLimitBytes'] as const) {
      const limit = options[name];
      if (limit === undefined && name === 'rssLimitBytes') continue;
      if (!(typeof limit === 'number' && limit > 0)) {
        throw new RangeError(
          `Invalid ${name}: received ${String(limit)}, expected a number of bytes above 0.`,
        );
      }
    }
    if (options.operations !== undefined) this.suspects = new LeakSuspects(options.operations);
  }

  /** Adds a reading. Ignores one that was taken too long after its collection, or is older than the previous one. */
  add(reading: LeakReading): void {
    const { at, heapUsed, heapResident, external, rss, inFlight, late } = reading;
    if (!(late <= MAX_DELAY_MS) || at < (this.latest?.at ?? 0)) return;
    if (!Number.isFinite(at + rss + external)) return;
    this.latest = reading;
    let counted: readonly number[] | undefined;
    const counts = this.suspects && (() => (counted ??= this.suspects?.counts()));
    const load = Number.isFinite(inFlight) ? inFlight : 0;
    // A container may end a process whose heap still has room. Without a container limit, the heap's limit applies.
    const room = (this.options.rssLimitBytes ?? this.options.heapLimitBytes + rss) - rss;
    if (Number.isFinite(heapUsed)) {
      this.latestHeap = heapUsed;
      this.latestExternal = external;
      const heapRoom = Math.min(this.options.heapLimitBytes - heapUsed, room);
      this.series.heap.add(at, heapUsed, load, this.placeOf('heap', heapUsed, heapRoom, reading), counts);
      this.series.external.add(at, external, load, this.placeOf('external', external, room, reading), counts);
    }
    const resident = Number.isFinite(heapResident) ? heapResident : heapUsed;
    // The heap and the memory outside it that objects hold are judged separately.
    const native = rss - resident - external;
    if (Number.isFinite(resident))
      this.series.rss.add(at, native, 0, this.placeOf('rss', native, room, reading));
  }

  /** How near its limit memory is: that of the heap, which also stands for a missing limit of the process. */
  private placeOf(
    memory: LeakingMemory,
    used: number,
    room: number,
    { rss, requests }: LeakReading,
  ): LeakPlace {
    const { heapLimitBytes, rssLimitBytes } = this.options;
    const ofProcess = rssLimitBytes === undefined ? 0 : rss / rssLimitBytes;
    const ofHeap = memory === 'heap' || rssLimitBytes === undefined ? used / heapLimitBytes : 0;
    return { room: Math.max(0, room), share: Math.max(ofProcess, ofHeap), requests };
  }

  /** The current leaks, at most one for each kind of memory. */
  verdicts(): Leak[] {
    const leaks: Leak[] = [];
    for (const memory of LEAKING_MEMORIES) {
      const leaking = this.series[memory].leaking;
      if (leaking === undefined) continue;
      // A known leak also occupies some memory that is neither heap nor external.
      if (memory === 'rss' && leaks.length > 0) continue;
      leaks.push(this.leakOf(memory, leaking));
    }
    return leaks;
  }

  private leakOf(memory: LeakingMemory, { confirmed, since, first, growth, blocks }: LeakingGrowth): Leak {
    const usedBytes =
      memory === 'heap' ? this.latestHeap : memory === 'external' ? this.latestExternal : growth.last;
    const limitBytes = this.limitOf(memory, usedBytes);
    const leak: Omit<Leak, 'explanation'> = {
      memory,
      state: confirmed ? 'confirmed' : 'suspect',
      since,
      bytesPerHour: growth.slope * HOUR_MS,
      usedBytes,
      ...(limitBytes !== undefined && {
        limitBytes,
        timeToLimitMs: Math.max(0, limitBytes - usedBytes) / growth.slope,
      }),
      confidence: confidenceOf(confirmed, growth.pValue, growth.steadiness),
      suspects: this.suspects?.of(blocks, growth.perLoad) ?? [],
    };
    return { ...leak, explanation: explainLeak(leak, { firstBytes: first, now: this.latest?.at ?? since }) };
  }

  /** Other resident memory reduces the room outside the heap. */
  private limitOf(memory: LeakingMemory, usedBytes: number): number | undefined {
    const { heapLimitBytes, rssLimitBytes } = this.options;
    const limit = rssLimitBytes && rssLimitBytes - (this.latest?.rss ?? 0) + usedBytes;
    return memory === 'heap' ? Math.min(heapLimitBytes, limit ?? heapLimitBytes) : limit;
  }
}

/** A rank, not a probability: about 0.5 for a suspicion, higher if confirmed, significant and steady. */
function confidenceOf(confirmed: boolean, pValue: number, steadiness: number): number {
  const strength = Math.min(1, -Math.log10(Math.max(pValue, 1e-12)) / 6) * steadiness;
  return Math.round(100 * (confirmed ? 0.75 + 0.24 * strength : 0.4 + 0.3 * strength)) / 100;
}
