/** One frame of the blocking stack. Line and column are 1-based, as in an Error's stack. */
export interface StackFrame {
  readonly functionName: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** The span that was active while the event loop was blocked, and its outermost ancestor. */
export interface BlockingOperation {
  readonly type: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly rootSpanId: string;
  readonly rootType: string;
  readonly rootName: string;
  /** The id of the monitor that the operation belongs to, if the process has several modules. */
  readonly monitor?: number;
}

/** A time in which the event loop did not turn, on the clock of `performance.now()`. */
export interface Stall {
  readonly startedAt: number;
  readonly endedAt: number;
  /** CPU time of the thread, or of the process where that is unknown, since the last heartbeat before the stall. */
  readonly cpuMs?: number;
  /** The time since then in which the thread was ready to run and had no CPU. Absent where that is unknown. */
  readonly runDelayMs?: number;
  /** The captured stack, innermost frame first. */
  readonly stack?: readonly StackFrame[];
  readonly operation?: BlockingOperation;
  /** This package kept the event loop: no delay of the application. */
  readonly isOwn?: true;
}

/** A stall with less CPU time of the process than this share of its length, and than so many milliseconds, waited for a CPU. */
const STARVED = 0.5;
const WORKED_MS = 80;
/** Calls of Node's that block the thread and use no CPU time. */
const SYNCHRONOUS = /^node:(?:internal\/)?(?:fs|child_process)/;

/** The time within a stall in which code blocked the event loop: without the time in which the thread had no CPU. */
export function blockedMs({ startedAt, endedAt, cpuMs, runDelayMs, stack }: Stall): number {
  const ms = endedAt - startedAt;
  if (runDelayMs !== undefined) return Math.max(0, ms - runDelayMs);
  if (cpuMs === undefined || cpuMs >= WORKED_MS || cpuMs >= STARVED * ms) return ms;
  return stack?.some(({ url }) => SYNCHRONOUS.test(url)) === true ? ms : 0;
}
