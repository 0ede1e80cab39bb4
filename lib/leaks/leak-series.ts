import { type Line, theilSen } from '../inference/theil-sen.js';
import { type LeakBlock, LeakBlocks } from './leak-blocks.js';
import { adjusted, type Growth, growthOf, type LeastGrowth, slowing } from './leak-growth.js';

/** Growth that is suspected or confirmed to be a leak. Moments are milliseconds since 1970. */
export interface LeakingGrowth {
  readonly confirmed: boolean;
  readonly since: number;
  /** Memory held at `since`, in bytes. */
  readonly first: number;
  /** The growth at its most recent detection. */
  readonly growth: Growth;
  /** The blocks in which the growth was detected. */
  readonly blocks: readonly LeakBlock[];
}

/** How near its limit memory is, and the requests that the process has served. */
export interface LeakPlace {
  /** Bytes left until the limit. */
  readonly room: number;
  /** The share of the limit that is used. */
  readonly share: number;
  /** Since the start; NaN if unknown. */
  readonly requests: number;
}

/** The criteria for one kind of memory. */
export interface SeriesRules {
  readonly least: Pick<LeastGrowth, 'bytes' | 'share'>;
  /** The finest level that is judged. */
  readonly finest: number;
}

/** What is known of growth while it is suspected or confirmed. */
interface Evidence {
  readonly since: number;
  /** Memory held at `since`, in bytes. */
  readonly first: number;
  readonly suspectedAt: number;
  /** The growth at that time. */
  readonly suspected: Growth;
  /** The most recent detection: when, and the growth at its level. */
  readonly detectedAt: number;
  readonly growth: Growth;
  readonly level: number;
}

type State = { readonly name: 'none' } | ({ readonly name: 'suspected' | 'confirmed' } & Evidence);

const NONE: State = { name: 'none' };

/** The shortest block, in milliseconds. */
const BLOCK_MS = 1000;
/** Significance of one test. All tests at short scales over a long life share this budget eight times per octave. */
const P_VALUE = 0.01;
const TESTS_PER_OCTAVE = 8;
/**
 * The finest level needs more blocks than others, because its window may be one slope of a sawtooth; or half a minute, if
 * collections are rare: a process may have only ten of them until its memory is used up.
 */
const LEAST_FINEST_BLOCKS = 12;
const LEAST_FINEST_MS = 30_000;
/**
 * How long a state outlasts its last detection, as a share of the time that the growth lasted. The windows themselves keep
 * detecting it for about as long as half of them takes to fill.
 */
const OUTLASTS = 0.25;
/**
 * Shares of the room that growth must have used, where room is the distance to the limit when it began. If the limit is
 * far, there is time to see whether the growth ends by itself, as most does.
 */
const SUSPECTED_ROOM = 0.01;
const CONFIRMED_ROOM = 0.2;
/** Beyond this share there is no time to wait until the growth has doubled its duration. */
const URGENT_ROOM = 0.4;
/** The share of the limit that must be used: caches are sized to half of it at most. */
const CONFIRMED_SHARE = 0.54;
/**
 * After two days nearly every regular visitor has come, so caches have filled and less room suffices; unless the growth
 * began with the process, which may still be loading.
 */
const LONG_MS = 2 * 86_400_000;
const LONG_ROOM = 0.1;
const LOADING_SHARE = 0.1;
/** Beyond this share of the limit, growth is confirmed even if it slows by the requests served. */
const PRESSING_SHARE = 0.7;
/** A confirmed leak that pauses stays confirmed for this time, and for this multiple of the time it grew. */
const PAUSE_MS = 3 * 86_400_000;
const PAUSE_SHARE = 2;
/** Growth continues if the slope in the last quarter is at least half of the slope overall. */
const CONTINUES = 0.5;
const LAST_PART = 0.25;
/** Growth has stopped if its slope in the last quarter, over at least six blocks, is certainly below this share. */
const STOPPED_PART = 0.25;
const LEAST_STOPPED_BLOCKS = 6;
const STOPPED_SLOPE = 0.35;
/** The share of the growth that must exceed all that was held before. */
const NEW_SHARE = 0.3;
/** The growth is over if at most this share of it is left. */
const RETURNED = 0.5;
/** Limits for {@link slowing}: to be confirmed, and to be suspected at all. */
const STEADY = 0.7;
const TIRED = 0.6;
const LEAST_WHOLE_BLOCKS = 8;

/**
 * Judges one kind of memory at all time scales. Has no clock: time is that of the readings.
 *
 * | from      | to        | when                                                                             |
 * | --------- | --------- | -------------------------------------------------------------------------------- |
 * | none      | suspected | a level detects growth that does not flatten                                     |
 * | suspected | suspected | it slowed to less than half: the time before was warm-up, and the evidence restarts |
 * | suspected | confirmed | it doubled its duration and used much of the room, or is urgent; and is not slowing |
 * | suspected | none      | it doubled its duration and flattens                                             |
 * | suspected | none      | it stopped, or was not detected for a while                                       |
 * | confirmed | none      | it has not grown for three days, and for twice as long as it had grown            |
 * | any       | none      | half of it was released                                                           |
 */
export class LeakSeries {
  private readonly blocks = new LeakBlocks(BLOCK_MS);
  /** The growth detected at each level. */
  private readonly detected: (Growth | undefined)[] = [];
  private state: State = NONE;
  private place: LeakPlace = { room: 0, share: 0, requests: Number.NaN };
  private startedAt: number | undefined;

  constructor(private readonly rules: SeriesRules) {}

  /** @param counts returns the executions of each operation so far; called when a block ends */
  add(
    at: number,
    value: number,
    load: number,
    place: LeakPlace,
    counts?: () => ArrayLike<number> | undefined,
  ): void {
    this.startedAt ??= at;
    this.place = place;
    const changed = this.blocks.add(at, value, load, counts, place.requests);
    // One reading proves it: the memory was released.
    if (this.hasReturned(value, load)) this.dismiss();
    if (changed === 0) return;
    for (let level = this.rules.finest; level < changed; level++)
      this.detected[level] = this.detect(level, at);
    this.advance(at);
  }

  get leaking(): LeakingGrowth | undefined {
    if (this.state.name === 'none') return undefined;
    const { name, since, first, growth, level } = this.state;
    return { confirmed: name === 'confirmed', since, first, growth, blocks: this.blocks.level(level) };
  }

  private detect(level: number, now: number): Growth | undefined {
    const blocks = this.blocks.level(level);
    const windowMs = now - (blocks[0]?.at ?? now);
    const few = blocks.length < LEAST_FINEST_BLOCKS && windowMs < LEAST_FINEST_MS;
    const lifeMs = now - (this.startedAt ?? now);
    const pValue = P_VALUE * Math.min(1, (TESTS_PER_OCTAVE * windowMs) / lifeMs);
    // Used room as a share of all room: r / (room + r) = URGENT_ROOM.
    const urgentBytes = (URGENT_ROOM / (1 - URGENT_ROOM)) * this.place.room;
    const leastBytes = Math.max(this.rules.least.bytes, SUSPECTED_ROOM * this.place.room);
    // A process whose memory lasts for half a minute has no time for more blocks.
    const bytes = level === this.rules.finest && few ? Math.max(leastBytes, urgentBytes) : leastBytes;
    const growth = growthOf(blocks, { ...this.rules.least, bytes, pValue, urgentBytes });
    if (growth === undefined) return undefined;
    // Memory that was held and released before was no leak, so this growth may be none either.
    const { first, last, perLoad, meanLoad } = growth;
    const before = this.blocks.highestBefore(level, perLoad) + perLoad * meanLoad;
    if (last < before + NEW_SHARE * (last - first)) return undefined;
    return this.hasStopped(growth, growth.from, now) ? undefined : growth;
  }

  private advance(now: number): void {
    if (this.state.name === 'suspected' && this.hasStopped(this.state.growth, this.state.since, now))
      this.dismiss();
    const level = this.detected.findLastIndex((growth) => growth !== undefined);
    const growth = this.detected[level];
    if (growth === undefined) {
      if (this.state.name !== 'none' && hasExpired(this.state, now)) this.state = NONE;
      return;
    }
    this.state = this.withGrowth(growth, level, now);
    if (this.state.name !== 'suspected') return;
    if (this.isTired()) this.dismiss();
    else this.state = this.confirmed(this.state, now);
  }

  /** The state once growth was detected. */
  private withGrowth(growth: Growth, level: number, now: number): State {
    const { state } = this;
    const detection = { detectedAt: now, growth, level };
    const start = { since: growth.from, first: growth.first };
    if (state.name !== 'none') return { ...state, ...detection, ...(growth.from < state.since ? start : {}) };
    if (this.isTired()) return NONE;
    return { name: 'suspected', ...start, suspectedAt: now, suspected: growth, ...detection };
  }

  /** The state of suspected growth once it is compared with the criteria of a confirmation. */
  private confirmed(evidence: Evidence, now: number): State {
    const { growth, suspected, since, first } = evidence;
    const grown = growth.last - first;
    const usedRoom = grown / (this.place.room + grown);
    const doubled = hasDoubled(evidence, now);
    const unchanged: State = { ...evidence, name: 'suspected' };
    const isLong = doubled && now - since >= LONG_MS && !this.beganWithProcess(since, now);
    const neededRoom = isLong ? LONG_ROOM : doubled ? CONFIRMED_ROOM : URGENT_ROOM;
    if (usedRoom < neededRoom || (this.place.share < CONFIRMED_SHARE && !isLong)) return unchanged;
    const slope = (growth.last - suspected.last) / (growth.to - suspected.to);
    if (doubled && slope < CONTINUES * suspected.slope) {
      const restart = { since: suspected.to, first: suspected.last, suspectedAt: now, suspected: growth };
      return { ...unchanged, ...restart };
    }
    const recentSlope = this.lineSince(now - LAST_PART * (now - since), growth.perLoad)?.slope;
    if (recentSlope !== undefined && recentSlope < CONTINUES * growth.slope) return unchanged;
    return this.isSlowing() ? unchanged : { ...evidence, name: 'confirmed' };
  }

  private beganWithProcess(since: number, now: number): boolean {
    const startedAt = this.startedAt ?? now;
    return since - startedAt < LOADING_SHARE * (now - startedAt);
  }

  /** Coarse levels have detected the growth before it was disproved, so their results go as well. */
  private dismiss(): void {
    this.state = NONE;
    this.detected.fill(undefined);
  }

  private isSlowing(): boolean {
    const blocks = this.blocks.whole(LEAST_WHOLE_BLOCKS);
    if (slowing(blocks, 'at').late < STEADY) return true;
    return this.place.share < PRESSING_SHARE && slowing(blocks, 'requests').late < STEADY;
  }

  /** Whether growth ends: it slows over the whole life, and did not just begin after a fast start. */
  private isTired(): boolean {
    const { late, whole } = slowing(this.blocks.whole(LEAST_WHOLE_BLOCKS), 'at');
    return late < STEADY && whole < TIRED;
  }

  private hasReturned(value: number, load: number): boolean {
    if (this.state.name === 'none') return false;
    const { first, growth } = this.state;
    const held = value - growth.perLoad * (load - growth.meanLoad);
    return held < first + (growth.last - first) * RETURNED;
  }

  /** Whether growth has certainly stopped for a quarter of its time, on a finer scale than that of its detection. */
  private hasStopped({ slope, perLoad }: Growth, since: number, now: number): boolean {
    const line = this.lineSince(now - STOPPED_PART * (now - since), perLoad);
    return line !== undefined && line.interval[1] < STOPPED_SLOPE * slope;
  }

  /** The line through the blocks since `begin`, on the finest level that reaches back; undefined for too few blocks. */
  private lineSince(begin: number, perLoad: number): Line | undefined {
    for (let level = 0; level < this.blocks.height; level++) {
      const blocks = this.blocks.level(level);
      if ((blocks[0]?.at ?? Number.POSITIVE_INFINITY) > begin) continue;
      const last = blocks.slice(blocks.findLastIndex(({ at }) => at <= begin));
      if (last.length < LEAST_STOPPED_BLOCKS) return undefined;
      const { times, values } = adjusted(last, perLoad);
      return theilSen(times, values);
    }
    return undefined;
  }
}

/** Whether growth has continued for as long as it took to be suspected. */
function hasDoubled({ since, suspectedAt }: Evidence, now: number): boolean {
  return now - suspectedAt >= suspectedAt - since;
}

function hasExpired({ name, since, detectedAt }: Evidence & { name: string }, now: number): boolean {
  const grewFor = detectedAt - since;
  if (name === 'confirmed') return now - detectedAt > Math.max(PAUSE_MS, PAUSE_SHARE * grewFor);
  return now - detectedAt > OUTLASTS * grewFor;
}
