import { performance } from 'node:perf_hooks';
import { attempt } from '../../async/thrown.js';

/** What `client.query(...)` sends as it is: a cursor, a stream of rows or of a COPY, or a `Query`. */
export interface Submitted {
  readonly text?: unknown;
  readonly values?: unknown;
  /** Of `pg-query-stream`. */
  readonly cursor?: unknown;
}

/** The outcome of what was submitted. */
export interface SubmittedQuery {
  readonly text: string;
  readonly values: readonly unknown[] | undefined;
  /** How long the server worked on it, in milliseconds: without the time in which nobody reads the rows of a cursor. */
  readonly elapsedMs: number;
  readonly error: unknown;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Whether it sends itself. */
export function isSubmitted(config: unknown): config is Submitted {
  return typeof (config as { submit?: unknown } | null | undefined)?.submit === 'function';
}

/**
 * Measures what is submitted, from then until the server has answered it.
 * @param ended called once, with its outcome
 */
export function measureSubmitted(submitted: Submitted, ended: (query: SubmittedQuery) => void): void {
  let elapsedMs = 0;
  let since = -1;
  let isFetching = false;
  let isOver = false;
  const run = (): void => {
    if (since < 0) since = performance.now();
  };
  const pause = (): void => {
    if (since >= 0) elapsedMs += performance.now() - since;
    since = -1;
  };
  const finish = (error: unknown): void => {
    if (isOver) return;
    isOver = true;
    pause();
    // Other kinds have them, too, under the same names.
    const { text, values } = (submitted.cursor ?? submitted) as Submitted;
    ended({
      text: typeof text === 'string' ? text : '',
      values: Array.isArray(values) ? (values as unknown[]) : undefined,
      elapsedMs,
      error,
    });
  };
  if (isCursor(submitted)) {
    callBefore((submitted.cursor ?? submitted) as object, '_getRows', () => {
      isFetching = true;
      run();
    });
    // The description arrives before the rows that were asked for, if any were.
    callBefore(submitted, 'handleRowDescription', () => {
      if (!isFetching) pause();
    });
    callBefore(submitted, 'handlePortalSuspended', () => {
      isFetching = false;
      pause();
    });
  }
  callBefore(submitted, 'submit', run);
  callBefore(submitted, 'handleReadyForQuery', () => finish(undefined));
  callBefore(submitted, 'handleError', finish);
}

/** Whether its rows are fetched in parts, when somebody reads them. */
function isCursor(submitted: Submitted): boolean {
  const { cursor = submitted } = submitted as { cursor?: { read?: unknown } | Submitted };
  return typeof (cursor as { read?: unknown }).read === 'function';
}

/** Calls a function before a method of one object, if it has that method. */
function callBefore(target: object, name: string, call: (argument: unknown) => void): void {
  const method: unknown = Reflect.get(target, name);
  if (typeof method !== 'function') return;
  const replaced: Method = function (this: unknown, ...args) {
    attempt('tracing a query of pg failed', () => call(args[0]));
    return method.apply(this, args);
  };
  Reflect.set(target, name, replaced);
}
