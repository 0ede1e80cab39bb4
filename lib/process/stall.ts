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
  /**
   * CPU time of the process within the stall. If it is much shorter than the stall, the process waited for the machine.
   */
  readonly cpuMs?: number;
  /** The captured stack, innermost frame first. */
  readonly stack?: readonly StackFrame[];
  readonly operation?: BlockingOperation;
}
