/** The maximum number of spans kept below one: 200 together with that one. */
export const MAX_COMPLETED_SPANS = 199;

/** The number of spans that are dropped at once when there are too many. */
const DROPPED_AT_ONCE = 50;

/** A completed span, and a linked list of those that completed directly below it, the last one first. */
class SpanNode {
  constructor(
    readonly name: string,
    readonly type: string,
    readonly startedAt: number,
    readonly durationMs: number,
    readonly failed: boolean,
    public below: SpanNode | undefined,
    public before: SpanNode | undefined,
  ) {}
}

function longest(last: SpanNode | undefined): SpanNode | undefined {
  let found = last;
  for (let span = last; span !== undefined; span = span.before)
    if (span.durationMs > (found as SpanNode).durationMs) found = span;
  return found;
}

/** A span that ended. */
export type CompletedSpan = Pick<SpanNode, 'name' | 'type' | 'startedAt' | 'durationMs' | 'failed'>;

/**
 * The spans that completed below one: all of them up to {@link MAX_COMPLETED_SPANS}, otherwise the longest, at least 149.
 * A span that ends passes those below it to the span around it in constant time. Times are in milliseconds on one clock
 * for the whole tree. References no OpenTelemetry span.
 */
export class CompletedSpans {
  /** The last of the outermost spans. */
  below: SpanNode | undefined = undefined;
  /** Spans up to this duration are omitted. */
  private floorMs = -1;
  /** The number of spans kept. */
  size = 0;
  /** The number of completed spans that are not kept. */
  omitted = 0;

  /** Adds a span. @param own the spans that completed below it, which this object takes over */
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
    this.below = new SpanNode(name, type, startedAt, durationMs, failed, own?.below, this.below);
    this.size++;
    if (own !== undefined) this.count(own);
    if (this.size > MAX_COMPLETED_SPANS) this.makeRoom();
  }

  /** Adds the spans of another object, and takes them over. */
  addAll(other: CompletedSpans): void {
    let first = other.below;
    if (first !== undefined) {
      while (first.before !== undefined) first = first.before;
      first.before = this.below;
      this.below = other.below;
    }
    this.count(other);
    if (this.size > MAX_COMPLETED_SPANS) this.makeRoom();
  }

  /** A copy, which later changes do not affect. */
  copy(): CompletedSpans {
    const copy = new CompletedSpans();
    copy.below = copied(this.below);
    copy.floorMs = this.floorMs;
    copy.size = this.size;
    copy.omitted = this.omitted;
    return copy;
  }

  /**
   * Calls `visit` with each span, parents first, siblings in the order of their start.
   * @param visit gets its own result for the parent of the span, or `outermost`
   */
  walk<T>(outermost: T, visit: (span: CompletedSpan, parent: T) => T): void {
    const visitAll = (last: SpanNode | undefined, parent: T): void => {
      const spans: SpanNode[] = [];
      for (let span = last; span !== undefined; span = span.before) spans.push(span);
      spans.sort((a, b) => a.startedAt - b.startedAt);
      for (const span of spans) visitAll(span.below, visit(span, parent));
    };
    visitAll(this.below, outermost);
  }

  /** The name of the innermost span that is at least so long, as all around it are, and of the kind. */
  innermost(minMs: number, isKind: (type: string) => boolean): string | undefined {
    let name: string | undefined;
    let span = longest(this.below);
    while (span !== undefined && span.durationMs >= minMs && isKind(span.type)) {
      name = span.name;
      span = longest(span.below);
    }
    return name;
  }

  private count({ size, omitted, floorMs }: CompletedSpans): void {
    this.size += size;
    this.omitted += omitted;
    if (floorMs > this.floorMs) this.floorMs = floorMs;
  }

  /** Drops the shortest spans. The spans below one of them move up to its parent. */
  private makeRoom(): void {
    const leaving = this.size - (MAX_COMPLETED_SPANS - DROPPED_AT_ONCE);
    let filled = 0;
    const collect = (last: SpanNode | undefined): void => {
      for (let span = last; span !== undefined; span = span.before) {
        durations[filled++] = span.durationMs;
        collect(span.below);
      }
    };
    collect(this.below);
    const floorMs = nthSmallest(durations, filled, leaving - 1);
    // Of the spans with exactly this duration, only as many are dropped as necessary.
    let atFloor = leaving;
    for (let at = 0; at < filled; at++) if ((durations[at] as number) < floorMs) atFloor--;
    const keep = (last: SpanNode | undefined, parent: { below: SpanNode | undefined }): void => {
      let next: SpanNode | undefined;
      for (let span = last; span !== undefined; span = next) {
        next = span.before;
        const { below, durationMs } = span;
        if (durationMs < floorMs || (durationMs === floorMs && atFloor-- > 0)) {
          keep(below, parent);
          continue;
        }
        span.below = undefined;
        span.before = parent.below;
        parent.below = span;
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

function copied(last: SpanNode | undefined): SpanNode | undefined {
  let result: SpanNode | undefined;
  for (let span = last; span !== undefined; span = span.before) {
    const { name, type, startedAt, durationMs, failed, below } = span;
    result = new SpanNode(name, type, startedAt, durationMs, failed, copied(below), result);
  }
  return result;
}

/** Room for two full objects that are merged, and the span around them. */
const durations = new Float64Array(2 * MAX_COMPLETED_SPANS + 1);

/** The value at `index` if the first `length` were sorted (quickselect). Reorders them. */
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
