import { theilSen } from '../inference/theil-sen.js';
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
  readonly least: Omit<LeastGrowth, 'pValue'>;
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
 * whether growth ends by itself, as most of it does.
 */
const SUSPECT_ROOM = 0.01;
const CONFIRMED_ROOM = 0.05;
/** Where so much of it is gone there is no time to wait until growth has gone on for as long again. */
const URGENT_ROOM = 0.3;
/** What the slope must be after the suspicion, as a share of what it was before. */
const GOES_ON = 0.5;
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
  add(at: number, value: number, load: number, room: number, counts?: () => Float64Array | undefined): void {
    this.startedAt ??= at;
    this.room = room;
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
    if (level === this.rules.finest && few) return undefined;
    const lifeMs = now - (this.startedAt ?? now);
    const pValue = P_VALUE * Math.min(1, (OFTEN * windowMs) / lifeMs);
    const bytes = Math.max(this.rules.least.bytes, SUSPECT_ROOM * this.room);
    const growth = growthOf(blocks, { ...this.rules.least, bytes, pValue });
    if (growth === undefined) return undefined;
    // What was held before and came down again was no leak, so this may be none either.
    const { first, last, perLoad, meanLoad } = growth;
    const before = this.blocks.highestBefore(level, perLoad) + perLoad * meanLoad;
    if (last < before + NEW_SHARE * (last - first)) return undefined;
    return this.standsStill(growth, growth.from, now) ? undefined : growth;
  }

  private follow(now: number): void {
    if (this.suspicion !== undefined && this.standsStill(this.suspicion.growth, this.suspicion.since, now)) {
      this.suspicion = undefined;
      this.seen.fill(undefined);
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
    if (this.suspicion?.confirmed === false) this.confirm(this.suspicion, now);
  }

  private confirm(held: Suspicion, now: number): void {
    const { growth, suspected } = held;
    const grown = growth.last - held.first;
    const gone = grown / (this.room + grown);
    const doubled = now - held.suspectedAt >= held.suspectedAt - held.since;
    if (gone < (doubled ? CONFIRMED_ROOM : URGENT_ROOM)) return;
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
    held.confirmed = !flattens(this.blocks.whole(LEAST_WHOLE_BLOCKS), growth.perLoad, STEADY);
  }

  /** Whether it certainly grows no more, for a quarter of the time by now: seen on a finer scale than the growth was. */
  private standsStill({ slope, perLoad }: Growth, since: number, now: number): boolean {
    const begin = now - STILL * (now - since);
    for (let level = this.rules.finest; level < this.blocks.height; level++) {
      const blocks = this.blocks.level(level);
      if ((blocks[0]?.at ?? now) > begin) continue;
      const last = blocks.slice(blocks.findLastIndex(({ at }) => at <= begin));
      if (last.length < LEAST_STILL_BLOCKS) return false;
      const { times, values } = adjusted(last, perLoad);
      return (theilSen(times, values)?.interval[1] ?? slope) < STILL_SLOPE * slope;
    }
    return false;
  }

  /** A single reading proves it: what was held is not held any more. */
  private forgetIfReturned(value: number, load: number): void {
    if (this.suspicion === undefined) return;
    const { first, growth } = this.suspicion;
    const held = value - growth.perLoad * (load - growth.meanLoad);
    if (held < first + (growth.last - first) * RETURNED) this.suspicion = undefined;
  }
}
