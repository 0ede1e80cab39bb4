/** Marks that are remembered, and spans of which the parent is: together 1.3 MB, and a minute of a busy server. */
const MARKS = 1 << 16;
const SPANS = 1 << 16;

/** Whose code ran at a moment, as far as is known: an operation's number, nobody's (0), or not known. */
export const UNKNOWN = -1;

/**
 * Remembers which span's code ran when, in constant memory: numbers in rings, no references to spans.
 *
 * A mark says: from here on, the code of this span runs. Spans leave one where they begin and end, which is exact for
 * code that runs in one piece. Code in pieces needs a mark wherever another piece begins: {@link ContextTracker} leaves
 * those, where it is worth its price.
 */
export class ExecutionLog {
  private readonly at = new Float64Array(MARKS);
  private readonly who = new Int32Array(MARKS);
  /** Whether it holds until the next one. */
  private readonly exact = new Uint8Array(MARKS);
  private readonly spans = new Int32Array(SPANS);
  private readonly parents = new Int32Array(SPANS);
  private marks = 0;
  /** Set while a mark holds until the next one: each piece of code leaves one, or nobody else has any. */
  certain = true;
  /** Whose the last mark was. */
  current = 0;

  /** @param numbers that are taken already, by spans that may still run */
  constructor(private numbers = 0) {}

  /** The last number that was given. */
  get lastNumber(): number {
    return this.numbers;
  }

  /** A number for a span that begins, to find it again while it is remembered. From 1 on, reused after 2^31. */
  number(parent: number): number {
    this.numbers = this.numbers >= 0x7fffffff ? 1 : this.numbers + 1;
    const slot = this.numbers & (SPANS - 1);
    this.spans[slot] = this.numbers;
    this.parents[slot] = parent;
    return this.numbers;
  }

  /**
   * From `now` on (clock of `performance.now()`), the code of this span runs; 0 for that of none.
   * @param certain whether that holds until the next mark
   */
  mark(number: number, now: number, certain = this.certain): void {
    this.current = number;
    const slot = this.marks & (MARKS - 1);
    this.at[slot] = now;
    this.who[slot] = number;
    this.exact[slot] = certain ? 1 : 0;
    this.marks++;
  }

  /** Whether a span is another one, or lies within it; nothing where that is forgotten. */
  isWithin(number: number, outer: number): boolean | undefined {
    let one = number;
    // Each step goes back in time, and so at most once around the ring.
    for (let steps = 0; one > 0 && steps < SPANS; steps++) {
      if (one === outer) return true;
      const slot = one & (SPANS - 1);
      if (this.spans[slot] !== one) return undefined;
      one = this.parents[slot] as number;
    }
    return one > 0 ? undefined : false;
  }

  /**
   * Walks the marks along with moments that are asked for in the order of time.
   * @param from where the first moment is not before
   */
  reader(from: number): ActivityReader {
    const oldest = Math.max(0, this.marks - MARKS);
    let low = oldest;
    let high = this.marks;
    while (low < high) {
      // Not half of the sum: after some days that is more than 32 bits.
      const middle = low + ((high - low) >>> 1);
      if ((this.at[middle & (MARKS - 1)] as number) <= from) low = middle + 1;
      else high = middle;
    }
    return new ActivityReader(low - 1, oldest, () => this.marks, this.at, this.who, this.exact);
  }
}

/** See {@link ExecutionLog.reader}. */
export class ActivityReader {
  /** The last mark before the moment that was asked for last: when it was left, whose, and whether exactly. */
  at = Number.NEGATIVE_INFINITY;
  who = UNKNOWN;
  exact = false;

  constructor(
    private index: number,
    private readonly oldest: number,
    private readonly marks: () => number,
    private readonly ats: Float64Array,
    private readonly whos: Int32Array,
    private readonly exacts: Uint8Array,
  ) {}

  seek(moment: number): void {
    const marks = this.marks();
    while (this.index + 1 < marks && (this.ats[(this.index + 1) & (MARKS - 1)] as number) <= moment)
      this.index++;
    if (this.index < this.oldest) return;
    const slot = this.index & (MARKS - 1);
    this.at = this.ats[slot] as number;
    this.who = this.whos[slot] as number;
    this.exact = this.exacts[slot] === 1;
  }
}
