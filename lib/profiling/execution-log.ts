/** Capacity of the rings of marks and of spans: 1.3 MB together, and a minute of a busy server. */
const MARKS = 1 << 16;
const SPANS = 1 << 16;
const MAX_NUMBER = 0x7fffffff;

/** The number in a mark that does not exist (any more). */
export const UNKNOWN = -1;

/**
 * Records which span's code ran when, in constant memory: numbers in rings, without references to spans.
 *
 * A mark states that from its time on the code of a span runs. Spans leave marks at their start and end, which is exact for
 * code that runs without interruption. Code that awaits needs a mark wherever it resumes; {@link ContextTracker} leaves
 * those when that is worth its cost.
 */
export class ExecutionLog {
  private readonly times = new Float64Array(MARKS);
  private readonly markNumbers = new Int32Array(MARKS);
  private readonly exactness = new Uint8Array(MARKS);
  private readonly spans = new Int32Array(SPANS);
  private readonly parents = new Int32Array(SPANS);
  private marks = 0;
  /** Whether new marks hold until the next one: all code leaves marks, or only one request runs. */
  exact = true;
  /** The number in the last mark. */
  current = 0;

  /** @param numbers the last number already taken by spans that may still run */
  constructor(private numbers = 0) {}

  /** The last number that {@link number} has given. */
  get lastNumber(): number {
    return this.numbers;
  }

  /** Numbers a span that starts. Numbers begin with 1 and are reused after 2^31. */
  number(parent: number): number {
    this.numbers = this.numbers >= MAX_NUMBER ? 1 : this.numbers + 1;
    const slot = this.numbers & (SPANS - 1);
    this.spans[slot] = this.numbers;
    this.parents[slot] = parent;
    return this.numbers;
  }

  /**
   * Records that the code of a span runs from `now` on (clock of `performance.now()`); 0 for code of no span.
   * @param exact whether that holds until the next mark
   */
  mark(number: number, now: number, exact = this.exact): void {
    this.current = number;
    const slot = this.marks & (MARKS - 1);
    this.times[slot] = now;
    this.markNumbers[slot] = number;
    this.exactness[slot] = exact ? 1 : 0;
    this.marks++;
  }

  /** Whether a span is `outer` or one of its descendants; undefined if an ancestor has been overwritten. */
  isWithin(number: number, outer: number): boolean | undefined {
    let ancestor = number;
    // Parents are older than their children, so the walk goes around the ring at most once.
    for (let steps = 0; ancestor > 0 && steps < SPANS; steps++) {
      if (ancestor === outer) return true;
      const slot = ancestor & (SPANS - 1);
      if (this.spans[slot] !== ancestor) return undefined;
      ancestor = this.parents[slot] as number;
    }
    return ancestor > 0 ? undefined : false;
  }

  /** A reader for times in ascending order, of which the first is `from` or later. */
  reader(from: number): MarkReader {
    const oldest = Math.max(0, this.marks - MARKS);
    let low = oldest;
    let high = this.marks;
    while (low < high) {
      // `(low + high) >>> 1` would overflow 32 bits after some days.
      const middle = low + ((high - low) >>> 1);
      if ((this.times[middle & (MARKS - 1)] as number) <= from) low = middle + 1;
      else high = middle;
    }
    return new MarkReader(low - 1, oldest, () => this.marks, this.times, this.markNumbers, this.exactness);
  }
}

/** The mark that applies at a time; see {@link ExecutionLog.reader}. */
export class MarkReader {
  /** When the mark was left, the number of its span, and whether it holds until the next mark. */
  markedAt = Number.NEGATIVE_INFINITY;
  number = UNKNOWN;
  exact = false;

  constructor(
    private index: number,
    private readonly oldest: number,
    private readonly marks: () => number,
    private readonly times: Float64Array,
    private readonly numbers: Int32Array,
    private readonly exactness: Uint8Array,
  ) {}

  /** Moves to the last mark at or before `time`. */
  seek(time: number): void {
    const marks = this.marks();
    while (this.index + 1 < marks && (this.times[(this.index + 1) & (MARKS - 1)] as number) <= time)
      this.index++;
    if (this.index < this.oldest) return;
    const slot = this.index & (MARKS - 1);
    this.markedAt = this.times[slot] as number;
    this.number = this.numbers[slot] as number;
    this.exact = this.exactness[slot] === 1;
  }
}
