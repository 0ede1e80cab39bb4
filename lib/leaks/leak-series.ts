import { type Line, theilSen } from '../inference/theil-sen.js';
import { type LeakBlock, LeakBlocks } from './leak-blocks.js';
import { adjusted, flattens, type Growth, growthOf, type LeastGrowth } from './leak-growth.js';

/** Growth that goes on: what a series knows of a leak. Moments are milliseconds since 1970. */
export interface LeakingGrowth {
  readonly confirmed: boolean;
  readonly since: number;
  /** What was held then, in bytes. */
  readonly first: number;
  /** As it was seen last. */
  readonly growth: Growth;
  /** The blocks that the growth was seen in. */
  readonly blocks: readonly LeakBlock[];
}

/** What a series of one kind of memory is judged by. */
export interface SeriesRules {
  readonly least: Pick<LeastGrowth, 'bytes' | 'share'>;
  /** The finest level that is judged. */
  readonly finest: number;
}

interface Suspicion {
  since: number;
  /** What was held then. */
  first: number;
  suspectedAt: number;
  /** The growth as it was then. */
  suspected: Growth;
  spokenAt: number;
  confirmed: boolean;
  growth: Growth;
  level: number;
}

/** The shortest block, in milliseconds. */
const BLOCK_MS = 1000;
/** Of one test. Of the many that are made at short scales in a long life, all together are given this for each octave. */
const P_VALUE = 0.01;
const OFTEN = 8;
/**
 * The finest level needs more blocks than others, as what it sees may be one slope of a sawtooth; or half a minute, where
 * collections are rare: a process may have no more than ten of them until its memory is used up.
 */
const LEAST_FINEST_BLOCKS = 12;
const LEAST_FINEST_MS = 30_000;
/**
 * How long a verdict outlasts its last evidence, as a share of the time that it grew. The windows themselves stay
 * convinced for about as long again as it takes to fill half of them.
 */
const HELD = 0.25;
/**
 * Of the room that there was to the limit, what must have been used up. Where the limit is far there is time to see
 * whether growth ends by itself, as most of it does: caches are made to take a small part of the memory.
 */
const SUSPECT_ROOM = 0.01;
const CONFIRMED_ROOM = 0.35;
/** Where so much of it is gone there is no time to wait until growth has gone on for as long again. */
const URGENT_ROOM = 0.4;
/** Who comes at all has come within two days, so that their cache has filled. */
const LONG_MS = 2 * 86_400_000;
const LONG_ROOM = 0.1;
/** What the slope must be in the last part of the time, as a share of what it is in the whole. */
const GOES_ON = 0.5;
const LAST_PART = 0.25;
/** It stands still if in this share of the time, in so many blocks, its slope was certainly below that share of the slope. */
const STILL = 0.25;
const LEAST_STILL_BLOCKS = 6;
const STILL_SLOPE = 0.35;
/** The share of the growth that must be above all that was held before. */
const NEW_SHARE = 0.3;
/** It is over when no more than this share of the growth is left. */
const RETURNED = 0.5;
/** Of {@link flattens}; steady growth has 1, logarithmic growth 0.5. */
const STEADY = 0.7;
const TIRED = 0.6;
const LEAST_WHOLE_BLOCKS = 8;

/** Judges one kind of memory at all scales at once. Knows no clock: time is what the readings say. */
export class LeakSeries {
  private readonly blocks = new LeakBlocks(BLOCK_MS);
  private readonly seen: (Growth | undefined)[] = [];
  private suspicion: Suspicion | undefined;
  private room = 0;
  private startedAt: number | undefined;

  constructor(private readonly rules: SeriesRules) {}

  /**
   * @param room bytes to the limit
   * @param counts how often each operation has ended so far; asked for when a block ends
   */
  add(
    at: number,
    value: number,
    load: number,
    room: number,
    counts?: () => ArrayLike<number> | undefined,
  ): void {
    this.startedAt ??= at;
    this.room = Math.max(0, room);
    const changed = this.blocks.add(at, value, load, counts);
    this.forgetIfReturned(value, load);
    if (changed === 0) return;
    for (let level = this.rules.finest; level < changed; level++) this.seen[level] = this.judge(level, at);
    this.follow(at);
  }

  get leaking(): LeakingGrowth | undefined {
    if (this.suspicion === undefined) return undefined;
    const { since, first, growth, confirmed, level } = this.suspicion;
    return { confirmed, since, first, growth, blocks: this.blocks.level(level) };
  }

  private judge(level: number, now: number): Growth | undefined {
    const blocks = this.blocks.level(level);
    const windowMs = now - (blocks[0]?.at ?? now);
    const few = blocks.length < LEAST_FINEST_BLOCKS && windowMs < LEAST_FINEST_MS;
    const lifeMs = now - (this.startedAt ?? now);
    const pValue = P_VALUE * Math.min(1, (OFTEN * windowMs) / lifeMs);
    // What is gone by now is a share of what there was: r / (room + r) = URGENT_ROOM.
    const urgentBytes = (URGENT_ROOM / (1 - URGENT_ROOM)) * this.room;
    const leastBytes = Math.max(this.rules.least.bytes, SUSPECT_ROOM * this.room);
    // A process whose memory lasts for half a minute has no time for more blocks.
    const bytes = level === this.rules.finest && few ? Math.max(leastBytes, urgentBytes) : leastBytes;
    const growth = growthOf(blocks, { ...this.rules.least, bytes, pValue, urgentBytes });
    if (growth === undefined) return undefined;
    // What was held before and came down again was no leak, so this may be none either.
    const { first, last, perLoad, meanLoad } = growth;
    const before = this.blocks.highestBefore(level, perLoad) + perLoad * meanLoad;
    if (last < before + NEW_SHARE * (last - first)) return undefined;
    return this.standsStill(growth, growth.from, now) ? undefined : growth;
  }

  private follow(now: number): void {
    if (this.suspicion !== undefined && this.standsStill(this.suspicion.growth, this.suspicion.since, now)) {
      this.forget();
    }
    const level = this.seen.findLastIndex((growth) => growth !== undefined);
    const growth = this.seen[level];
    const held = this.suspicion;
    if (growth === undefined) {
      if (held === undefined) return;
      if (now - held.spokenAt > HELD * (held.spokenAt - held.since)) this.suspicion = undefined;
      return;
    }
    if (held === undefined) {
      if (this.flattens(TIRED)) return;
      this.suspicion = {
        since: growth.from,
        first: growth.first,
        suspectedAt: now,
        suspected: growth,
        spokenAt: now,
        confirmed: false,
        growth,
        level,
      };
    } else {
      Object.assign(held, { spokenAt: now, growth, level });
      if (growth.from < held.since) Object.assign(held, { since: growth.from, first: growth.first });
    }
    if (this.suspicion?.confirmed !== false) return;
    if (hasDoubled(this.suspicion, now) && this.flattens(TIRED)) this.forget();
    else this.confirm(this.suspicion, now);
  }

  private confirm(held: Suspicion, now: number): void {
    const { growth, suspected, since } = held;
    const grown = growth.last - held.first;
    const gone = grown / (this.room + grown);
    const doubled = hasDoubled(held, now);
    const least = now - since >= LONG_MS ? LONG_ROOM : CONFIRMED_ROOM;
    if (gone < (doubled ? least : URGENT_ROOM)) return;
    const slope = (growth.last - suspected.last) / (growth.to - suspected.to);
    if (doubled && slope < GOES_ON * suspected.slope) {
      // What came first was warming up. What goes on may be a leak, and has to show it anew.
      Object.assign(held, {
        since: suspected.to,
        first: suspected.last,
        suspectedAt: now,
        suspected: growth,
      });
      return;
    }
    const lately = this.lineSince(now - LAST_PART * (now - since), growth.perLoad)?.slope;
    if (lately !== undefined && lately < GOES_ON * growth.slope) return;
    held.confirmed = !this.flattens(STEADY);
  }

  private flattens(leastRatio: number): boolean {
    return flattens(this.blocks.whole(LEAST_WHOLE_BLOCKS), leastRatio);
  }

  /** Whether it certainly grows no more, for a quarter of the time by now: seen on a finer scale than the growth was. */
  private standsStill({ slope, perLoad }: Growth, since: number, now: number): boolean {
    const line = this.lineSince(now - STILL * (now - since), perLoad);
    return line !== undefined && line.interval[1] < STILL_SLOPE * slope;
  }

  /** On the finest scale that reaches back so far; nothing where there are too few blocks. */
  private lineSince(begin: number, perLoad: number): Line | undefined {
    for (let level = 0; level < this.blocks.height; level++) {
      const blocks = this.blocks.level(level);
      if ((blocks[0]?.at ?? Number.POSITIVE_INFINITY) > begin) continue;
      const last = blocks.slice(blocks.findLastIndex(({ at }) => at <= begin));
      if (last.length < LEAST_STILL_BLOCKS) return undefined;
      const { times, values } = adjusted(last, perLoad);
      return theilSen(times, values);
    }
    return undefined;
  }

  /** What coarse scales have seen is older than what proved it wrong. */
  private forget(): void {
    this.suspicion = undefined;
    this.seen.fill(undefined);
  }

  /** A single reading proves it: what was held is not held any more. */
  private forgetIfReturned(value: number, load: number): void {
    if (this.suspicion === undefined) return;
    const { first, growth } = this.suspicion;
    const held = value - growth.perLoad * (load - growth.meanLoad);
    if (held < first + (growth.last - first) * RETURNED) this.forget();
  }
}

/** Whether growth has gone on for as long as it took to be suspected. */
function hasDoubled({ since, suspectedAt }: Suspicion, now: number): boolean {
  return now - suspectedAt >= suspectedAt - since;
}
