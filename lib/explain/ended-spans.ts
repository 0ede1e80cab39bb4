/** The number of spans kept of those that ended below one: with that one itself there are 200. */
export const MAX_ENDED_SPANS = 199;

/** How many make room at once when there is one too many. */
const ROOM = 50;

// What is kept of a span in numbers, in one array of doubles: an object would box each of them.
const STARTED_AT = 0;
const DURATION = 1;
/** How many of those right before it ended below it. */
const BELOW = 2;
const FAILED = 3;
const NUMBERS = 4;

const NAME = 0;
const TYPE = 1;
const WORDS = 2;

/** A span that ended, as it is kept. */
export interface EndedSpan {
  readonly name: string;
  readonly type: string;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly failed: boolean;
}

/**
 * The spans that ended below one: all of them, or where there are more than {@link MAX_ENDED_SPANS} the longest, at least
 * the 149 that are. When a span ends, it is put behind those below it, and all of them are handed to the span around it. So
 * they stand in the order in which a tree is left, and the number below each tells how they hang together: no span is
 * held, and none needs a name of its own.
 *
 * Knows no clock: times are given, in milliseconds on one clock for the whole tree.
 */
export class EndedSpans {
  private numbers: number[] = [];
  private words: string[] = [];
  /** What lasted no longer is not kept. */
  private floorMs = Number.NEGATIVE_INFINITY;
  /** How many have ended and are not kept. */
  omitted = 0;

  /** How many are kept. */
  get size(): number {
    return this.words.length / WORDS;
  }

  /** Adds a span that ended. @param below how many of the last ones ended below it */
  add(
    name: string,
    type: string,
    startedAt: number,
    durationMs: number,
    failed: boolean,
    below: number,
  ): void {
    if (durationMs <= this.floorMs) {
      this.omitted++;
      return;
    }
    this.words.push(name, type);
    this.numbers.push(startedAt, durationMs, below, failed ? 1 : 0);
    if (this.size > MAX_ENDED_SPANS) this.makeRoom();
  }

  /** Adds what another one has. */
  addAll(other: EndedSpans): void {
    for (const word of other.words) this.words.push(word);
    for (const number of other.numbers) this.numbers.push(number);
    this.omitted += other.omitted;
    this.floorMs = Math.max(this.floorMs, other.floorMs);
    if (this.size > MAX_ENDED_SPANS) this.makeRoom();
  }

  /** The same at this moment. */
  copy(): EndedSpans {
    const copy = new EndedSpans();
    copy.numbers = this.numbers.slice();
    copy.words = this.words.slice();
    copy.floorMs = this.floorMs;
    copy.omitted = this.omitted;
    return copy;
  }

  /** Calls `visit` with each span, the one around it before it, what began earlier first. Gives it what it returned for that one. */
  walk<T>(outermost: T, visit: (span: EndedSpan, around: T) => T): void {
    const below = (from: number, to: number, around: T): void => {
      const positions: number[] = [];
      for (let at = to - 1; at >= from; at -= this.number(at, BELOW) + 1) positions.push(at);
      positions.sort((a, b) => this.number(a, STARTED_AT) - this.number(b, STARTED_AT) || a - b);
      for (const at of positions) below(at - this.number(at, BELOW), at, visit(this.span(at), around));
    };
    below(0, this.size, outermost);
  }

  private number(at: number, what: number): number {
    return this.numbers[at * NUMBERS + what] as number;
  }

  private span(at: number): EndedSpan {
    return {
      name: this.words[at * WORDS + NAME] as string,
      type: this.words[at * WORDS + TYPE] as string,
      startedAt: this.number(at, STARTED_AT),
      durationMs: this.number(at, DURATION),
      failed: this.number(at, FAILED) === 1,
    };
  }

  /** Leaves out the shortest. What ended below one of them is below the one around it from then on. */
  private makeRoom(): void {
    const { size, numbers, words } = this;
    const leaving = size - (MAX_ENDED_SPANS - ROOM);
    for (let at = 0; at < size; at++) durations[at] = this.number(at, DURATION);
    const floorMs = nthSmallest(durations, size, leaving - 1);
    let asShort = leaving;
    for (let at = 0; at < size; at++) if (this.number(at, DURATION) < floorMs) asShort--;
    let kept = 0;
    for (let at = 0; at < size; at++) {
      keptBefore[at] = kept;
      const durationMs = this.number(at, DURATION);
      if (durationMs < floorMs || (durationMs === floorMs && asShort-- > 0)) continue;
      const below = kept - (keptBefore[at - this.number(at, BELOW)] as number);
      words.copyWithin(kept * WORDS, at * WORDS, (at + 1) * WORDS);
      numbers.copyWithin(kept * NUMBERS, at * NUMBERS, (at + 1) * NUMBERS);
      numbers[kept * NUMBERS + BELOW] = below;
      kept++;
    }
    words.length = kept * WORDS;
    numbers.length = kept * NUMBERS;
    this.floorMs = floorMs;
    this.omitted += leaving;
  }
}

// At most two full ones are put together.
const durations = new Float64Array(2 * MAX_ENDED_SPANS);
const keptBefore = new Uint16Array(2 * MAX_ENDED_SPANS);

/** The value that would stand at `index` if the first `length` were in order. Moves them about. */
function nthSmallest(values: Float64Array, length: number, index: number): number {
  let from = 0;
  let to = length - 1;
  while (from < to) {
    const pivot = values[(from + to) >> 1] as number;
    let low = from;
    let high = to;
    while (low <= high) {
      while ((values[low] as number) < pivot) low++;
      while ((values[high] as number) > pivot) high--;
      if (low > high) break;
      const value = values[low] as number;
      values[low++] = values[high] as number;
      values[high--] = value;
    }
    if (index <= high) to = high;
    else if (index >= low) from = low;
    else break;
  }
  return values[index] as number;
}
