/** The number of spans kept of those that ended below one: with that one itself there are 200. */
export const MAX_ENDED_SPANS = 199;

/** How many make room at once when there are too many. */
const ROOM = 50;

/** A span that ended, with those that ended below it: a list, the last one first. */
class EndedSpan {
  constructor(
    readonly name: string,
    readonly type: string,
    readonly startedAt: number,
    readonly durationMs: number,
    readonly failed: boolean,
    public below: EndedSpan | undefined,
    public before: EndedSpan | undefined,
  ) {}
}

/** What is told of a span that ended. */
export type CompletedSpan = Pick<EndedSpan, 'name' | 'type' | 'startedAt' | 'durationMs' | 'failed'>;

/**
 * The spans that ended below one: all of them, or where there are more than {@link MAX_ENDED_SPANS} the longest, at least
 * the 149 that are. A span that ends hands what ended below it to the span around it, in constant time. Holds no span,
 * and knows no clock: times are given, in milliseconds on one clock for the whole tree.
 */
export class CompletedSpans {
  /** The last of those that no other one is around. */
  below: EndedSpan | undefined = undefined;
  /** What lasted no longer is not kept. */
  private floorMs = -1;
  /** How many are kept. */
  size = 0;
  /** How many have ended and are not kept. */
  omitted = 0;

  /** Adds a span that ended. @param own what ended below it, which belongs to this one from then on */
  add(
    name: string,
    type: string,
    startedAt: number,
    durationMs: number,
    failed: boolean,
    own?: CompletedSpans,
  ): void {
    if (durationMs <= this.floorMs) {
      this.omitted++;
      if (own !== undefined) this.addAll(own);
      return;
    }
    this.below = new EndedSpan(name, type, startedAt, durationMs, failed, own?.below, this.below);
    this.size++;
    if (own !== undefined) this.count(own);
    if (this.size > MAX_ENDED_SPANS) this.makeRoom();
  }

  /** Adds what another one has, and takes it over. */
  addAll(other: CompletedSpans): void {
    let first = other.below;
    if (first !== undefined) {
      while (first.before !== undefined) first = first.before;
      first.before = this.below;
      this.below = other.below;
    }
    this.count(other);
    if (this.size > MAX_ENDED_SPANS) this.makeRoom();
  }

  /** The same at this moment. */
  copy(): CompletedSpans {
    const copy = new CompletedSpans();
    copy.below = copied(this.below);
    copy.floorMs = this.floorMs;
    copy.size = this.size;
    copy.omitted = this.omitted;
    return copy;
  }

  /**
   * Calls `visit` with each span: after the one around it, those beside each other as they began.
   * @param visit also gets what it returned for the one around, or `outermost`
   */
  walk<T>(outermost: T, visit: (span: CompletedSpan, around: T) => T): void {
    const within = (last: EndedSpan | undefined, around: T): void => {
      const spans: EndedSpan[] = [];
      for (let span = last; span !== undefined; span = span.before) spans.push(span);
      spans.sort((a, b) => a.startedAt - b.startedAt);
      for (const span of spans) within(span.below, visit(span, around));
    };
    within(this.below, outermost);
  }

  private count({ size, omitted, floorMs }: CompletedSpans): void {
    this.size += size;
    this.omitted += omitted;
    if (floorMs > this.floorMs) this.floorMs = floorMs;
  }

  /** Leaves out the shortest. What ended below one of them is below the one around it from then on. */
  private makeRoom(): void {
    const leaving = this.size - (MAX_ENDED_SPANS - ROOM);
    let filled = 0;
    const note = (last: EndedSpan | undefined): void => {
      for (let span = last; span !== undefined; span = span.before) {
        durations[filled++] = span.durationMs;
        note(span.below);
      }
    };
    note(this.below);
    const floorMs = nthSmallest(durations, filled, leaving - 1);
    // Of those that lasted as long as the floor, only as many leave as must.
    let asShort = leaving;
    for (let at = 0; at < filled; at++) if ((durations[at] as number) < floorMs) asShort--;
    const keep = (last: EndedSpan | undefined, around: { below: EndedSpan | undefined }): void => {
      let next: EndedSpan | undefined;
      for (let span = last; span !== undefined; span = next) {
        next = span.before;
        const { below, durationMs } = span;
        if (durationMs < floorMs || (durationMs === floorMs && asShort-- > 0)) {
          keep(below, around);
          continue;
        }
        span.below = undefined;
        span.before = around.below;
        around.below = span;
        keep(below, span);
      }
    };
    const { below } = this;
    this.below = undefined;
    keep(below, this);
    this.floorMs = floorMs;
    this.size -= leaving;
    this.omitted += leaving;
  }
}

function copied(last: EndedSpan | undefined): EndedSpan | undefined {
  let result: EndedSpan | undefined;
  for (let span = last; span !== undefined; span = span.before) {
    const { name, type, startedAt, durationMs, failed, below } = span;
    result = new EndedSpan(name, type, startedAt, durationMs, failed, copied(below), result);
  }
  return result;
}

/** As many as there are when two full ones come together, and the one around. */
const durations = new Float64Array(2 * MAX_ENDED_SPANS + 1);

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
