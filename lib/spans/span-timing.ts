import {
  addIdleParts,
  type Breakdown,
  DATABASE,
  emptyBreakdown,
  kindOf,
  SELF_BUSY,
  SELF_IDLE,
  WORKS,
} from './work.js';

/** How deep a breakdown descends into children that still run. */
const MAX_DEPTH = 16;

// The times of a span's children, as one array of doubles: an object would box each of them. It begins with a Breakdown of the
// children that ended, without busy time. Then, by kind, the number of children that run, and the sum of their shares at their
// start; a kind is the index of what a child's idle time counts as. Then the idle share of each running child since the first
// one started, and the idle time at its last change. Then the time in which at least one child ran, and the start of the
// current such period.
const KINDS = SELF_IDLE + 1;
const RUNNING = KINDS;
const SUM_OF_SHARES = RUNNING + KINDS;
const SHARE = SUM_OF_SHARES + KINDS;
const SHARED_UNTIL = SHARE + 1;
const COVERED = SHARED_UNTIL + 1;
const COVERED_SINCE = COVERED + 1;
const SYNCHRONOUS = COVERED_SINCE + 1;

type Children = number[];

/**
 * Minus zero is a double from the start: zeros would be integers, and converted at the first sum. Copied, because V8 may
 * allocate the arrays of a literal in the old generation.
 */
// biome-ignore format: a row for each part
const NO_CHILDREN: Children = [
  -0, -0, -0, -0, -0, -0, -0, -0,
  -0, -0, -0, -0, -0, -0, -0, -0,
  -0, -0, -0, -0, -0, -0, -0, -0,
  -0, -0, -0, -0, -0,
];

/**
 * Measures what the time of a span was spent on, as its children start and end, in constant memory and in constant time for
 * each child. It reads no clock and keeps no child that ended.
 *
 * Time with a busy event loop belongs to no child: an answer that waits to be read was not slow. The exception is a driver
 * that works synchronously, as those of SQLite do: its busy time is the database's. Idle time belongs to the children that
 * run, in equal shares. The share of a child is the difference of a running sum between its start and its end,
 * as the virtual time of fair queueing (Demers, Keshav and Shenker, 1989).
 *
 * `now` is in milliseconds on one clock for the whole tree; `idle` is how long the event loop has been idle until then,
 * always 0 where that is not measured.
 */
export class SpanTiming {
  /** The outermost span of this process's part of the trace. */
  readonly root: this;
  ended = false;
  /** A driver executes it within one call, while the event loop waits. */
  isSynchronous = false;
  /** After it was withdrawn: the span that took over its running children, or itself if there is none. */
  private adopter: SpanTiming | undefined = undefined;
  /** The number of children that started. */
  childCount = 0;
  private running = 0;
  readonly startedAt: number;
  /** How long the event loop had been idle when it started. */
  readonly idleAtStart: number;
  /** Whether its parent counts it: one that had ended before does not wait for it. */
  private readonly isCounted: boolean;
  /** The work that its parent counts it as while it runs. */
  private readonly initialWork: number;
  /** The share of its parent's children when it started. After it was withdrawn: the share at which its own continued. */
  private shareAtStart = -0;
  private children: Children | undefined = undefined;
  /** The running child of the application's own code that started last. */
  private innerSpan: SpanTiming | undefined = undefined;

  /**
   * @param work what it is work of, see {@link workOf}; may change until it ends
   * @param lateMs how long ago it started, if it was created afterwards: some libraries create their spans when the work is
   * over. The idle time since then is taken from what its parent waited for nothing else.
   */
  constructor(
    readonly parent: SpanTiming | undefined,
    public work: number,
    now: number,
    idle: number,
    lateMs = 0,
  ) {
    this.root = (parent === undefined ? this : parent.root) as this;
    this.initialWork = work;
    this.isCounted = parent !== undefined && !parent.ended;
    this.startedAt = now - lateMs;
    const late = lateMs > 0 ? Math.min(lateMs, parent?.selfIdleMs(idle) ?? lateMs) : 0;
    this.idleAtStart = idle - late;
    if (this.isCounted) parent?.childStarted(this, idle, late);
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
   * @returns its share of the time in which its parent waited with an idle event loop
   */
  end(now: number, idle: number): number {
    if (this.ended) return 0;
    this.ended = true;
    return this.countingParent()?.childEnded(this, now, idle) ?? idle - this.idleAtStart;
  }

  /** Ends the span as if it had never started: its time and its running children become its parent's. */
  withdraw(now: number, idle: number): void {
    this.ended = true;
    const parent = this.countingParent();
    this.adopter = parent ?? this;
    if (parent === undefined) return;
    parent.childCount--;
    parent.childLeft(this, now, idle, false);
    if (this.running > 0) parent.adoptChildren(this, now, idle);
  }

  /**
   * What the time until `now` was spent on. The parts add up to the duration.
   * @param result where to write it, all zeros
   */
  breakdown(now: number, idle: number, result = emptyBreakdown()): Breakdown {
    this.addParts(result, now, idle, 0);
    const busy = result[SELF_BUSY] as number;
    const synchronous = Math.min(busy, this.synchronousMs(now, idle, 0));
    if (synchronous > 0) {
      result[SELF_BUSY] = busy - synchronous;
      (result[DATABASE] as number) += synchronous;
    }
    return result;
  }

  private addParts(result: Breakdown, now: number, idle: number, depth: number): Breakdown {
    const duration = Math.max(0, now - this.startedAt);
    const idleMs = Math.min(duration, Math.max(0, idle - this.idleAtStart));
    const { children } = this;
    let waited = 0;
    if (children !== undefined) waited = this.addChildren(result, children, now, idle, depth);
    result[SELF_BUSY] = duration - idleMs;
    (result[kindOf(this.work)] as number) += Math.max(0, idleMs - waited);
    return result;
  }

  /** The busy time of synchronous work until now, its own or below it. */
  private synchronousMs(now: number, idle: number, depth: number): number {
    if (this.isSynchronous) return this.busyMs(now, idle);
    const { children, innerSpan } = this;
    if (children === undefined) return 0;
    const running =
      innerSpan === undefined || depth >= MAX_DEPTH ? 0 : innerSpan.synchronousMs(now, idle, depth + 1);
    return (children[SYNCHRONOUS] as number) + running;
  }

  /** Whether `other` is this span or below it. */
  contains(other: SpanTiming): boolean {
    let at: SpanTiming | undefined = other;
    for (let depth = 0; at !== undefined && depth < 256; depth++, at = at.parent)
      if (at === this) return true;
    return false;
  }

  /** The idle time until now in which no child ran. */
  selfIdleMs(idle: number): number {
    let left = idle - this.idleAtStart;
    const { children } = this;
    if (children !== undefined)
      for (let kind = 0; kind < KINDS; kind++) left -= this.waitedFor(children, kind, idle);
    return Math.max(0, left);
  }

  /** The idle time of a kind of children that ended or still run. */
  private waitedFor(children: Children, kind: number, idle: number): number {
    const ended = children[kind] as number;
    const running = children[RUNNING + kind] as number;
    if (running === 0) return ended;
    const share = (children[SHARE] as number) + (idle - (children[SHARED_UNTIL] as number)) / this.running;
    return ended + running * share - (children[SUM_OF_SHARES + kind] as number);
  }

  /** The span that its time is added to: the nearest one around it that was not withdrawn, unless that has ended. */
  private countingParent(): SpanTiming | undefined {
    let at = this.isCounted ? this.parent : undefined;
    while (at?.adopter !== undefined) at = at.parent;
    return at?.ended === true ? undefined : at;
  }

  /** @param late idle time before now that becomes the child's */
  private childStarted(child: SpanTiming, idle: number, late: number): void {
    const children = this.sharedUntil(child.startedAt, idle);
    const kind = kindOf(child.work);
    this.childCount++;
    this.running++;
    child.shareAtStart = (children[SHARE] as number) - late;
    (children[RUNNING + kind] as number) += 1;
    (children[SUM_OF_SHARES + kind] as number) += child.shareAtStart;
    if (kind === SELF_IDLE) this.innerSpan = child;
  }

  /** Takes over the running children of a span, which wait from now on: the idle time before remains its own. */
  private adoptChildren(withdrawn: SpanTiming, now: number, idle: number): void {
    const children = this.sharedUntil(now, idle);
    const adopted = withdrawn.children as Children;
    const share = children[SHARE] as number;
    for (let kind = 0; kind < KINDS; kind++) {
      const running = adopted[RUNNING + kind] as number;
      (children[RUNNING + kind] as number) += running;
      (children[SUM_OF_SHARES + kind] as number) += running * share;
    }
    withdrawn.shareAtStart = share;
    this.running += withdrawn.running;
    this.childCount += withdrawn.running;
    this.innerSpan ??= withdrawn.innerSpan;
  }

  /** The times of its children, with all idle time until now shared among those that run. */
  private sharedUntil(now: number, idle: number): Children {
    this.children ??= NO_CHILDREN.slice();
    const { children, running } = this;
    if (running === 0) children[COVERED_SINCE] = now;
    else (children[SHARE] as number) += (idle - (children[SHARED_UNTIL] as number)) / running;
    children[SHARED_UNTIL] = idle;
    return children;
  }

  private childEnded(child: SpanTiming, now: number, idle: number): number {
    const children = this.sharedUntil(now, idle);
    const share = Math.max(0, (children[SHARE] as number) - this.shareAtStartOf(child));
    if (child.work < WORKS && child.children === undefined) {
      // A leaf, as most spans are: needs no breakdown.
      (children[child.work] as number) += share;
    } else {
      addIdleParts(children, child.addParts(emptyBreakdown(), now, idle, 0), share);
    }
    if (child.isSynchronous) (children[SYNCHRONOUS] as number) += child.busyMs(now, idle);
    else if (child.children !== undefined)
      (children[SYNCHRONOUS] as number) += child.children[SYNCHRONOUS] as number;
    this.childLeft(child, now, idle, true);
    return share;
  }

  /** The share at which a child started, or continued because the spans between were withdrawn. */
  private shareAtStartOf(child: SpanTiming): number {
    if (child.parent === this) return child.shareAtStart;
    let share = 0;
    for (let at = child.parent; at !== undefined && at !== this; at = at.parent)
      if (at.adopter === this) share = Math.max(share, at.shareAtStart);
    return share;
  }

  /** @param isCovered whether the time in which it ran was a child's */
  private childLeft(child: SpanTiming, now: number, idle: number, isCovered: boolean): void {
    const children = this.sharedUntil(now, idle);
    const kind = kindOf(child.initialWork);
    (children[RUNNING + kind] as number) -= 1;
    (children[SUM_OF_SHARES + kind] as number) -= this.shareAtStartOf(child);
    if (this.innerSpan === child) this.innerSpan = undefined;
    if (--this.running > 0 || !isCovered) return;
    (children[COVERED] as number) += now - (children[COVERED_SINCE] as number);
  }

  /** Adds the idle time of its children, and returns its sum. */
  private addChildren(
    result: Breakdown,
    children: Children,
    now: number,
    idle: number,
    depth: number,
  ): number {
    let waited = 0;
    for (let kind = 0; kind < KINDS; kind++) {
      const ended = children[kind] as number;
      const ms = Math.max(ended, this.waitedFor(children, kind, idle));
      waited += ms;
      if (kind !== SELF_IDLE || this.innerSpan === undefined || depth >= MAX_DEPTH) {
        (result[kind] as number) += ms;
        continue;
      }
      (result[kind] as number) += ended;
      addIdleParts(result, this.innerSpan.addParts(emptyBreakdown(), now, idle, depth + 1), ms - ended);
    }
    return waited;
  }
}
