import { type Breakdown, emptyBreakdown, SELF_BUSY, SELF_IDLE, WORK_IDLE, WORKS } from './work.js';

/** How deep a breakdown looks into children that still run. */
const MAX_DEPTH = 16;

// What is known of the children of a span, as one array of doubles: an object would box each of them. Behind what
// they spent by kind (a Breakdown; overlapping ones count each) stand those that wait for work and run now, how many
// and the sum of their starts by kind, and then the time in which at least one child ran, and how much of it the
// event loop was idle.
const WAITING = 9;
const WAITING_SINCE = WAITING + WORKS;
const COVERED = WAITING_SINCE + WORKS;
const COVERED_IDLE = COVERED + 1;
const RUNNING_SINCE = COVERED_IDLE + 1;
const IDLE_SINCE = RUNNING_SINCE + 1;

type Children = number[];

/**
 * Minus zero is a double from the start: zeros would be integers, and converted at the first sum. Copied and not made
 * anew: V8 may decide to make the arrays of a literal in the old generation.
 */
// biome-ignore format: a row for each part
const NO_CHILDREN: Children = [
  -0, -0, -0, -0, -0, -0, -0, -0, -0,
  -0, -0, -0, -0, -0, -0,
  -0, -0, -0, -0, -0, -0,
  -0, -0, -0, -0,
];

/**
 * A span in the tree of its request, told of its children as they start and end. Knows no clock and keeps no child:
 * times are given, and everything is counted as it passes, exactly, in constant memory and constant time.
 *
 * `now` is milliseconds on one clock for the whole tree; `idle` is how long the event loop has been idle until then,
 * always 0 where that is not known.
 */
export class SpanTiming {
  /** The outermost span of this process's part of the trace. */
  readonly root: this;
  ended = false;
  private withdrawn = false;
  /** The number of children that have started. */
  childCount = 0;
  private running = 0;
  private readonly counted: boolean;
  /** What its parent took it for when it began. */
  private readonly begunAs: number;
  private children: Children | undefined = undefined;
  /** The child of the application's own that began last: who is asked while it runs. */
  private inner: SpanTiming | undefined = undefined;

  constructor(
    readonly parent: SpanTiming | undefined,
    /** What it is work of, see {@link workOf}. May turn out to be another when it ends. */
    public work: number,
    readonly startedAt: number,
    private readonly idleAtStart: number,
  ) {
    this.root = (parent === undefined ? this : parent.root) as this;
    this.begunAs = work;
    // A parent that has ended no longer waits for anybody.
    this.counted = parent !== undefined && !parent.ended;
    if (this.counted) parent?.childStarted(this, startedAt, idleAtStart);
  }

  /** The time in which at least one child ran. Children that never end count until `now`. */
  childrenMs(now: number): number {
    const { children } = this;
    if (children === undefined) return 0;
    return (children[COVERED] as number) + (this.running > 0 ? now - (children[RUNNING_SINCE] as number) : 0);
  }

  get isWithdrawn(): boolean {
    return this.withdrawn;
  }

  /** How long the event loop was busy until `now`, with whatever it was. */
  busyMs(now: number, idle: number): number {
    return now - this.startedAt - (idle - this.idleAtStart);
  }

  /**
   * Ends the span, and tells its parent what it spent.
   * @param durationMs what the span says of itself; much more than it was there for if it was made afterwards
   */
  end(now: number, idle: number, durationMs = 0): void {
    if (this.ended) return;
    this.ended = true;
    const parent = this.counted ? nearestRemainingAncestor(this.parent) : undefined;
    // What a parent that has ended said of itself stands.
    if (parent === undefined || parent.ended) return;
    const there = now - this.startedAt;
    parent.childEnded(this, now, idle, isBackdated(durationMs, there) ? durationMs - there : 0);
  }

  /** Ends the span as if it had not been: its time is its parent's own, and so are the children that still run. */
  withdraw(now: number, idle: number): void {
    this.ended = true;
    this.withdrawn = true;
    const parent = this.counted ? nearestRemainingAncestor(this.parent) : undefined;
    if (parent === undefined || parent.ended) return;
    parent.childCount--;
    parent.childLeft(this, now, idle, false);
    if (this.running > 0) parent.adopt(this, now, idle);
  }

  /**
   * What the time until `now` went to. The parts, less {@link WORK_IDLE}, add up to the duration: where children ran
   * side by side, what they spent is scaled to the time that they covered.
   * @param result an empty one to write it into
   */
  breakdown(now: number, idle: number, depth = 0, result = emptyBreakdown()): Breakdown {
    const duration = Math.max(0, now - this.startedAt);
    const idleMs = Math.max(0, idle - this.idleAtStart);
    let covered = 0;
    let coveredIdle = 0;
    const { children } = this;
    if (children !== undefined) {
      covered = Math.min(duration, this.childrenMs(now));
      coveredIdle = children[COVERED_IDLE] as number;
      if (this.running > 0) coveredIdle += idle - (children[IDLE_SINCE] as number);
      this.addChildren(result, children, now, idle, depth);
      scaleTo(result, covered, coveredIdle);
    }
    const own = duration - covered;
    const ownIdle = Math.min(own, Math.max(0, idleMs - coveredIdle));
    if (this.work < WORKS) {
      (result[this.work] as number) += own;
      (result[WORK_IDLE] as number) += ownIdle;
    } else {
      (result[SELF_IDLE] as number) += ownIdle;
      (result[SELF_BUSY] as number) += own - ownIdle;
    }
    return result;
  }

  /** Whether this is the span or one around it. */
  contains(other: SpanTiming): boolean {
    let at: SpanTiming | undefined = other;
    for (let depth = 0; at !== undefined && depth < 256; depth++, at = at.parent)
      if (at === this) return true;
    return false;
  }

  private childStarted(child: SpanTiming, now: number, idle: number): void {
    this.children ??= NO_CHILDREN.slice();
    const { children } = this;
    const { work } = child;
    this.childCount++;
    if (this.running++ === 0) {
      children[RUNNING_SINCE] = now;
      children[IDLE_SINCE] = idle;
    }
    if (work < WORKS) {
      (children[WAITING + work] as number) += 1;
      (children[WAITING_SINCE + work] as number) += now;
    } else {
      this.inner = child;
    }
  }

  /** Takes the running children of a child that was none. */
  private adopt(withdrawn: SpanTiming, now: number, idle: number): void {
    const children = this.children as Children;
    const theirs = withdrawn.children as Children;
    for (let at = WAITING; at < COVERED; at++) (children[at] as number) += theirs[at] as number;
    if (this.running === 0) {
      children[RUNNING_SINCE] = now;
      children[IDLE_SINCE] = idle;
    }
    this.running += withdrawn.running;
    this.childCount += withdrawn.running;
    this.inner ??= withdrawn.inner;
  }

  /** @param extraMs what it spent before it was there, for a span that is made afterwards */
  private childEnded(child: SpanTiming, now: number, idle: number, extraMs: number): void {
    const children = this.children as Children;
    (children[COVERED] as number) += extraMs;
    if (child.work < WORKS && child.children === undefined) {
      // The usual case, a leaf: no breakdown is made for it.
      (children[child.work] as number) += now - child.startedAt + extraMs;
      (children[WORK_IDLE] as number) += idle - child.idleAtStart;
    } else {
      const parts = child.breakdown(now, idle);
      for (let part = 0; part < parts.length; part++) (children[part] as number) += parts[part] as number;
    }
    this.childLeft(child, now, idle, true);
  }

  private childLeft(child: SpanTiming, now: number, idle: number, covered: boolean): void {
    const children = this.children as Children;
    const work = child.begunAs;
    if (work < WORKS) {
      (children[WAITING + work] as number) -= 1;
      (children[WAITING_SINCE + work] as number) -= child.startedAt;
    } else if (this.inner === child) {
      this.inner = undefined;
    }
    if (--this.running > 0 || !covered) return;
    (children[COVERED] as number) += now - (children[RUNNING_SINCE] as number);
    (children[COVERED_IDLE] as number) += idle - (children[IDLE_SINCE] as number);
  }

  private addChildren(result: Breakdown, children: Children, now: number, idle: number, depth: number): void {
    for (let part = 0; part < result.length; part++) result[part] = children[part] as number;
    for (let work = 0; work < WORKS; work++) {
      const waiting = children[WAITING + work] as number;
      if (waiting > 0) (result[work] as number) += waiting * now - (children[WAITING_SINCE + work] as number);
    }
    if (this.inner === undefined || depth >= MAX_DEPTH) return;
    const parts = this.inner.breakdown(now, idle, depth + 1);
    for (let part = 0; part < parts.length; part++) (result[part] as number) += parts[part] as number;
  }
}

/** The span that is told: one that was withdrawn hands on to the one around it. */
function nearestRemainingAncestor(span: SpanTiming | undefined): SpanTiming | undefined {
  let at = span;
  while (at?.isWithdrawn === true) at = at.parent;
  return at;
}

/** Some libraries make their spans when all is over, and give them the times that have been. */
export function isBackdated(durationMs: number, thereMs: number): boolean {
  return durationMs > 2 * thereMs + 1;
}

/** Makes what children spent fit the time that they covered. */
function scaleTo(result: Breakdown, covered: number, coveredIdle: number): void {
  let sum = 0;
  for (let part = 0; part < WORK_IDLE; part++) sum += result[part] as number;
  if (sum > covered) {
    const scale = covered / sum;
    for (let part = 0; part < result.length; part++) result[part] = (result[part] as number) * scale;
    return;
  }
  // Children of whom nothing is known but that they run: the loop tells whether it was busy meanwhile.
  const rest = covered - sum;
  const restIdle = Math.min(
    rest,
    Math.max(0, coveredIdle - (result[SELF_IDLE] as number) - (result[WORK_IDLE] as number)),
  );
  (result[SELF_IDLE] as number) += restIdle;
  (result[SELF_BUSY] as number) += rest - restIdle;
}
