/** One line of the application's log, written within an operation. */
export interface LogLine {
  /** `fatal`, `error`, `warn`, `log`, `debug` or `verbose`, or that of another logger. */
  level: string;
  /** Milliseconds since the start of the operation. */
  offsetMs: number;
  /** The part of the application that wrote it. */
  context?: string;
  /** On one line, without secrets, at most 500 characters. */
  message: string;
}

/** The last lines that were logged within an operation. */
export interface OperationLog {
  /** The oldest first. */
  lines: LogLine[];
  /** Lines before them, which were dropped. */
  omitted: number;
}

/** A line as it was written. It is cleaned once it is kept. */
export interface RawLine {
  /** On the clock of `performance.now()`. */
  readonly at: number;
  readonly level: string;
  readonly context: string | undefined;
  readonly message: string;
  cleaned?: Pick<LogLine, 'level' | 'context' | 'message'>;
}

/** The last lines of one request. */
export interface LineRing {
  readonly lines: RawLine[];
  omitted: number;
}

/** The last lines of a log, at most so many. */
export function lastLines({ lines, omitted }: OperationLog, max: number): OperationLog {
  const left = Math.max(0, lines.length - max);
  return { lines: lines.slice(left), omitted: omitted + left };
}
