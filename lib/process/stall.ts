/** One call of the stack that blocked. Line and column are 1-based, as in an Error's stack. */
export interface StackFrame {
  readonly functionName: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** The span that was active where the event loop was blocked, and the outermost one above it. */
export interface BlockingOperation {
  readonly type: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly rootSpanId: string;
  readonly rootType: string;
  readonly rootName: string;
  /** Of several modules in one process, whose it is. */
  readonly monitor?: number;
}

/** A time in which the event loop did not turn, on the clock of `performance.now()`. */
export interface Stall {
  readonly startedAt: number;
  readonly endedAt: number;
  /** CPU time of the process within it: much less than its length, and it waited for the machine. */
  readonly cpuMs?: number;
  /** What ran, innermost call first, where it was seen while it ran. */
  readonly stack?: readonly StackFrame[];
  readonly operation?: BlockingOperation;
}
