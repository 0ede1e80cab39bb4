import { LEAKING_MEMORIES, type Leak, type LeakingMemory } from './leak.js';
import { type LeakReading, MOST_LATE_MS } from './leak-reading.js';
import { type LeakingGrowth, LeakSeries, type SeriesRules } from './leak-series.js';
import { LeakSuspects, type OperationCount } from './leak-suspects.js';
import { explainLeak } from './leak-words.js';

/** What a detector is told of the process. */
export interface LeakDetectorOptions {
  /** `heap_size_limit` of `v8.getHeapStatistics()`. */
  readonly heapLimitBytes: number;
  /** What the process may hold in all, of a container for instance. */
  readonly rssLimitBytes?: number;
  /** How often the busiest operations have ended since the start, 32 at the most; asked for once a second at most. */
  readonly operations?: () => Iterable<OperationCount>;
}

const MB = 2 ** 20;
const HOUR_MS = 3_600_000;
/**
 * The resident set grows by itself for minutes: code that is compiled, fragments, pages that the allocator keeps. What
 * is asked of it is more, and over longer.
 */
const RULES: Record<LeakingMemory, SeriesRules> = {
  heap: { least: { bytes: MB, share: 0.05 }, finest: 0 },
  external: { least: { bytes: MB, share: 0.05 }, finest: 0 },
  rss: { least: { bytes: 16 * MB, share: 0.15 }, finest: 2 },
};

/**
 * Finds memory leaks in what remains after major collections. Pure: it knows no clock and no process. Bounded: some
 * 40 KB for any length of life, and 300 KB where 32 operations are followed.
 */
export class LeakDetector {
  private readonly series = Object.fromEntries(
    LEAKING_MEMORIES.map((memory) => [memory, new LeakSeries(RULES[memory])]),
  ) as Record<LeakingMemory, LeakSeries>;
  private readonly suspects: LeakSuspects | undefined;
  private latest: LeakReading | undefined;
  private latestExternal = 0;
  private latestHeap = 0;

  /** @throws a RangeError that names a limit which is none */
  constructor(private readonly options: LeakDetectorOptions) {
    for (const name of ['heapLimitBytes', 'rssLimitBytes'] as const) {
      const limit = options[name];
      if (limit === undefined && name === 'rssLimitBytes') continue;
      if (!(typeof limit === 'number' && limit > 0)) {
        throw new RangeError(`${name} is ${String(limit)}; allowed is a number of bytes above 0.`);
      }
    }
    if (options.operations !== undefined) this.suspects = new LeakSuspects(options.operations);
  }

  /** Readings in the order of time; one that came too late, or before the one before, is left out. */
  add(reading: LeakReading): void {
    const { at, heapUsed, heapResident, external, rss, inFlight, late } = reading;
    if (!(late <= MOST_LATE_MS) || at < (this.latest?.at ?? 0)) return;
    if (!Number.isFinite(at + rss + external)) return;
    this.latest = reading;
    let counted: readonly number[] | undefined;
    const counts = this.suspects && (() => (counted ??= this.suspects?.counts()));
    const load = Number.isFinite(inFlight) ? inFlight : 0;
    // A container ends a process whose heap would have had room; where nobody says what it may hold, the heap's limit does.
    const room = (this.options.rssLimitBytes ?? this.options.heapLimitBytes + rss) - rss;
    if (Number.isFinite(heapUsed)) {
      this.latestHeap = heapUsed;
      this.latestExternal = external;
      const heapRoom = Math.min(this.options.heapLimitBytes - heapUsed, room);
      this.series.heap.add(at, heapUsed, load, heapRoom, counts);
      this.series.external.add(at, external, load, room, counts);
    }
    const resident = Number.isFinite(heapResident) ? heapResident : heapUsed;
    // The heap is seen better by itself, and so is what its objects hold.
    if (Number.isFinite(resident)) this.series.rss.add(at, rss - resident - external, 0, room);
  }

  /** What leaks at present: nothing, or one verdict for each memory. */
  verdicts(): Leak[] {
    const leaks: Leak[] = [];
    for (const memory of LEAKING_MEMORIES) {
      const leaking = this.series[memory].leaking;
      if (leaking === undefined) continue;
      // A leak that is known takes some memory with it that belongs to nobody.
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

  /** What else is resident leaves less room outside the heap. */
  private limitOf(memory: LeakingMemory, usedBytes: number): number | undefined {
    const { heapLimitBytes, rssLimitBytes } = this.options;
    const limit = rssLimitBytes && rssLimitBytes - (this.latest?.rss ?? 0) + usedBytes;
    return memory === 'heap' ? Math.min(heapLimitBytes, limit ?? heapLimitBytes) : limit;
  }
}

/** An order and no probability: half for a suspicion, more for what is confirmed, significant and steady. */
function confidenceOf(confirmed: boolean, pValue: number, steadiness: number): number {
  const strength = Math.min(1, -Math.log10(Math.max(pValue, 1e-12)) / 6) * steadiness;
  return Math.round(100 * (confirmed ? 0.75 + 0.24 * strength : 0.4 + 0.3 * strength)) / 100;
}
