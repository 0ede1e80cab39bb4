import { type Breakdown, emptyBreakdown, SELF_BUSY, SELF_IDLE, WORK_IDLE, WORKS } from './work.js';

/** How deep a breakdown descends into children that still run. */
const MAX_DEPTH = 16;

// The times of a span's children, as one array of doubles: an object would box each of them. It begins with a Breakdown of
// the children that ended, overlapping ones counted in full. Then, by kind of work, the number of children that run and
// the sum of their start times. Then the time in which at least one child ran, how much of it the event loop was idle, and
// both clocks at the start of the current such period.
const RUNNING = 9;
const SUM_OF_STARTS = RUNNING + WORKS;
const COVERED = SUM_OF_STARTS + WORKS;
const COVERED_IDLE = COVERED + 1;
const COVERED_SINCE = COVERED_IDLE + 1;
const IDLE_SINCE = COVERED_SINCE + 1;

type Children = number[];

/**
 * Minus zero is a double from the start: zeros would be integers, and converted at the first sum. Copied, because V8 may
 * allocate the arrays of a literal in the old generation.
 */
// biome-ignore format: a row for each part
const NO_CHILDREN: Children = [
  -0, -0, -0, -0, -0, -0, -0, -0, -0,
  -0, -0, -0, -0, -0, -0,
  -0, -0, -0, -0, -0, -0,
  -0, -0, -0, -0,
];

/**
 * Measures what the time of a span was spent on, as its children start and end: exactly, in constant memory, and in
 * constant time for each child. It reads no clock and keeps no child that ended.
 *
 * `now` is in milliseconds on one clock for the whole tree; `idle` is how long the event loop has been idle until then,
 * always 0 where that is not measured.
 */
export class SpanTiming {
  /** The outermost span of this process's part of the trace. */
  readonly root: this;
  ended = false;
  private isWithdrawn = false;
  /** The number of children that started. */
  childCount = 0;
  private running = 0;
  /** Whether its parent counts it: one that had ended before does not wait for it. */
  private readonly isCounted: boolean;
  /** The work that its parent counts it as while it runs. */
  private readonly initialWork: number;
  private children: Children | undefined = undefined;
  /** The running child of the application's own code that started last. */
  private innerSpan: SpanTiming | undefined = undefined;

  constructor(
    readonly parent: SpanTiming | undefined,
    /** What it is work of, see {@link workOf}. May change until it ends. */
    public work: number,
    readonly startedAt: number,
    private readonly idleAtStart: number,
  ) {
    this.root = (parent === undefined ? this : parent.root) as this;
    this.initialWork = work;
    this.isCounted = parent !== undefined && !parent.ended;
    if (this.isCounted) parent?.childStarted(this, startedAt, idleAtStart);
  }

  /** The time in which at least one child ran. Children that still run count until `now`. */
  childrenMs(now: number): number {
    const { children } = this;
    if (children === undefined) return 0;
    return (children[COVERED] as number) + (this.running > 0 ? now - (children[COVERED_SINCE] as number) : 0);
  }

  /** How long the event loop was busy until `now`, with this span or anything else. */
  busyMs(now: number, idle: number): number {
    return now - this.startedAt - (idle - this.idleAtStart);
  }

  /**
   * Ends the span and adds its time to its parent's.
   * @param durationMs its duration, which exceeds the time since its start if it was created afterwards
   */
  end(now: number, idle: number, durationMs = 0): void {
    if (this.ended) return;
    this.ended = true;
    const elapsed = now - this.startedAt;
    const extraMs = isBackdated(durationMs, elapsed) ? durationMs - elapsed : 0;
    this.countingParent()?.childEnded(this, now, idle, extraMs);
  }

  /** Ends the span as if it had never started: its time and its running children become its parent's. */
  withdraw(now: number, idle: number): void {
    this.ended = true;
    this.isWithdrawn = true;
    const parent = this.countingParent();
    if (parent === undefined) return;
    parent.childCount--;
    parent.childLeft(this, now, idle, false);
    if (this.running > 0) parent.adoptChildren(this, now, idle);
  }

  /**
   * What the time until `now` was spent on. The parts, without {@link WORK_IDLE}, add up to the duration: the parts of
   * overlapping children are scaled to the time in which at least one of them ran.
   * @param result where to write it, all zeros
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

  /** Whether `other` is this span or below it. */
  contains(other: SpanTiming): boolean {
    let at: SpanTiming | undefined = other;
    for (let depth = 0; at !== undefined && depth < 256; depth++, at = at.parent)
      if (at === this) return true;
    return false;
  }

  /** The span that its time is added to: the nearest one around it that was not withdrawn, unless that has ended. */
  private countingParent(): SpanTiming | undefined {
    let at = this.isCounted ? this.parent : undefined;
    while (at?.isWithdrawn === true) at = at.parent;
    return at?.ended === true ? undefined : at;
  }

  private childStarted(child: SpanTiming, now: number, idle: number): void {
    const children = this.childrenFrom(now, idle);
    const { work } = child;
    this.childCount++;
    this.running++;
    if (work < WORKS) {
      (children[RUNNING + work] as number) += 1;
      (children[SUM_OF_STARTS + work] as number) += now;
    } else {
      this.innerSpan = child;
    }
  }

  private adoptChildren(withdrawn: SpanTiming, now: number, idle: number): void {
    const children = this.childrenFrom(now, idle);
    const adopted = withdrawn.children as Children;
    for (let at = RUNNING; at < COVERED; at++) (children[at] as number) += adopted[at] as number;
    this.running += withdrawn.running;
    this.childCount += withdrawn.running;
    this.innerSpan ??= withdrawn.innerSpan;
  }

  /** The times of its children, with a new covered period where none runs yet. */
  private childrenFrom(now: number, idle: number): Children {
    this.children ??= NO_CHILDREN.slice();
    const { children } = this;
    if (this.running === 0) {
      children[COVERED_SINCE] = now;
      children[IDLE_SINCE] = idle;
    }
    return children;
  }

  /** @param extraMs the part of its duration before its span was created */
  private childEnded(child: SpanTiming, now: number, idle: number, extraMs: number): void {
    const children = this.children as Children;
    (children[COVERED] as number) += extraMs;
    if (child.work < WORKS && child.children === undefined) {
      // A leaf, as most spans are: needs no breakdown.
      (children[child.work] as number) += now - child.startedAt + extraMs;
      (children[WORK_IDLE] as number) += idle - child.idleAtStart;
    } else {
      addParts(children, child.breakdown(now, idle));
    }
    this.childLeft(child, now, idle, true);
  }

  /** @param isCovered whether the time in which it ran was a child's */
  private childLeft(child: SpanTiming, now: number, idle: number, isCovered: boolean): void {
    const children = this.children as Children;
    const work = child.initialWork;
    if (work < WORKS) {
      (children[RUNNING + work] as number) -= 1;
      (children[SUM_OF_STARTS + work] as number) -= child.startedAt;
    } else if (this.innerSpan === child) {
      this.innerSpan = undefined;
    }
    if (--this.running > 0 || !isCovered) return;
    (children[COVERED] as number) += now - (children[COVERED_SINCE] as number);
    (children[COVERED_IDLE] as number) += idle - (children[IDLE_SINCE] as number);
  }

  private addChildren(result: Breakdown, children: Children, now: number, idle: number, depth: number): void {
    for (let part = 0; part < result.length; part++) result[part] = children[part] as number;
    for (let work = 0; work < WORKS; work++) {
      const running = children[RUNNING + work] as number;
      if (running > 0) (result[work] as number) += running * now - (children[SUM_OF_STARTS + work] as number);
    }
    if (this.innerSpan !== undefined && depth < MAX_DEPTH)
      addParts(result, this.innerSpan.breakdown(now, idle, depth + 1));
  }
}

function addParts(to: number[], parts: Breakdown): void {
  for (let part = 0; part < parts.length; part++) (to[part] as number) += parts[part] as number;
}

/**
 * Whether a span was created when its work was over, with times in the past, as some libraries do.
 * @param elapsedMs how long the span has existed
 */
export function isBackdated(durationMs: number, elapsedMs: number): boolean {
  return durationMs > 2 * elapsedMs + 1;
}

/** Fits what children spent to the time in which at least one of them ran. */
function scaleTo(result: Breakdown, covered: number, coveredIdle: number): void {
  let sum = 0;
  for (let part = 0; part < WORK_IDLE; part++) sum += result[part] as number;
  if (sum > covered) {
    const scale = covered / sum;
    for (let part = 0; part < result.length; part++) result[part] = (result[part] as number) * scale;
    return;
  }
  // The rest belongs to running children whose parts are unknown: the event loop shows whether it was busy.
  const rest = covered - sum;
  const restIdle = Math.min(
    rest,
    Math.max(0, coveredIdle - (result[SELF_IDLE] as number) - (result[WORK_IDLE] as number)),
  );
  (result[SELF_IDLE] as number) += restIdle;
  (result[SELF_BUSY] as number) += rest - restIdle;
}
