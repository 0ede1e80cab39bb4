import { performance } from 'node:perf_hooks';
import { context, type Span, type Tracer } from '@opentelemetry/api';
import { attempt } from '../../async/thrown.js';
import { SCOPE } from '../../spans/tracing-runtime.js';
import { Database, endQuery, startQuery } from '../query-span.js';
import { markSynchronous, setRowCount } from '../work-tracking.js';
import { DriverPatch } from './driver-patch.js';

type Method = (this: object, ...args: unknown[]) => unknown;

/** The text of a prepared statement. It may throw: a closed database has none. */
type TextOf = (statement: object) => unknown;

/** The call of a driver that executes a statement. */
interface Call {
  readonly tracer: Tracer;
  readonly text: unknown;
  readonly args: readonly unknown[];
}

const FAULT = 'tracing a statement of SQLite failed';
const DATABASE = new Database('sqlite');

/** Bound values are needed where the text has a place for them. */
const PLACEHOLDER = /[?:@$]/;

/**
 * A driver of SQLite that executes a statement within one call. Its classes are patched once they are known: those of
 * statements may be known only when the first one is prepared.
 */
export abstract class SqliteInstrumentation extends DriverPatch {
  private readonly known = new WeakSet();

  /** @param textOf the text of one of its prepared statements */
  constructor(private readonly textOf: TextOf) {
    super(SCOPE.name);
  }

  /** Traces `exec`, and the statements that are prepared. Never throws. */
  protected patchDatabase(prototype: object): void {
    const statementIn = (statement: unknown): void => {
      if (typeof statement === 'object' && statement !== null)
        this.patchStatement(Object.getPrototypeOf(statement) as object);
    };
    this.patch(prototype, {
      prepare: (original) =>
        function (this: object, ...args) {
          const statement = original.apply(this, args);
          attempt(FAULT, () => statementIn(statement));
          return statement;
        },
      exec: (original) => {
        const instrumentation = this;
        return function (this: object, ...args) {
          const call = () => ({ tracer: instrumentation.tracer, text: args[0], args: [] });
          return traced(call, () => original.apply(this, args));
        };
      },
    });
  }

  /** Traces the methods of a prepared statement that execute it. Never throws. */
  protected patchStatement(prototype: object): void {
    if (this.known.has(prototype)) return;
    this.known.add(prototype);
    const callOf = (statement: object, args: readonly unknown[]): Call => ({
      tracer: this.tracer,
      text: this.textOf(statement),
      args,
    });
    const executes =
      (rowsOf: (result: unknown) => unknown) =>
      (original: Method): Method =>
        function (this: object, ...args) {
          return traced(
            () => callOf(this, args),
            () => original.apply(this, args),
            rowsOf,
          );
        };
    this.patch(prototype, {
      run: executes((result) => (result as { changes?: unknown } | undefined)?.changes),
      get: executes((row) => (row === undefined ? 0 : 1)),
      all: executes((rows) => (rows as unknown[]).length),
      iterate: (original) =>
        function (this: object, ...args) {
          const iterator = original.apply(this, args);
          attempt(FAULT, () => traceIterator(callOf(this, args), iterator as object));
          return iterator;
        },
    });
  }

  private patch(prototype: object, methods: Record<string, (original: Method) => Method>): void {
    attempt('a driver of SQLite was not instrumented', () => {
      for (const [name, wrapperOf] of Object.entries(methods)) this.wrap(prototype, name, wrapperOf);
    });
  }
}

/** Executes a statement within a span. Throws what the driver throws, and nothing else. */
function traced(call: () => Call, execute: () => unknown, rowsOf?: (result: unknown) => unknown): unknown {
  const span = attempt(FAULT, () => startStatement(call()));
  if (span === undefined) return execute();
  let result: unknown;
  try {
    result = execute();
  } catch (error) {
    endQuery(span, error, () => {});
    throw error;
  }
  endQuery(span, undefined, () => setRowCount(span, rowsOf?.(result)));
  return result;
}

function startStatement({ tracer, text, args }: Call, startTime?: number): Span | undefined {
  const written = String(text);
  const values = boundValues(written, args);
  const span = startQuery(tracer, { database: DATABASE, text: written, values, startTime });
  if (span !== undefined) markSynchronous(span);
  return span;
}

/** The code that reads the rows runs between them, so the span is created afterwards, as long as the steps took. */
function traceIterator(call: Call, iterator: object): void {
  const parent = context.active();
  let elapsedMs = 0;
  let rows = 0;
  let isOver = false;
  const finish = (error?: unknown): void => {
    if (isOver) return;
    isOver = true;
    const span = attempt(FAULT, () =>
      context.with(parent, () => startStatement(call, Date.now() - elapsedMs)),
    );
    if (span !== undefined) endQuery(span, error, () => setRowCount(span, rows));
  };
  const measure = (name: string, step: Method): Method =>
    function (this: object, ...values) {
      const from = performance.now();
      let result: unknown;
      try {
        result = Reflect.apply(step, this, values);
      } catch (error) {
        elapsedMs += performance.now() - from;
        finish(error);
        throw error;
      }
      elapsedMs += performance.now() - from;
      if (name === 'return' || (result as { done?: boolean }).done === true) finish();
      else rows++;
      return result;
    };
  for (const name of ['next', 'return']) {
    const step: unknown = Reflect.get(iterator, name);
    if (typeof step !== 'function') continue;
    const value = measure(name, step as Method);
    Object.defineProperty(iterator, name, { configurable: true, writable: true, value });
  }
}

/** The values in the arguments of a call, in arrays and objects as well. Those of an earlier `bind` are unknown. */
function boundValues(text: string, args: readonly unknown[]): unknown[] | undefined {
  const values = args.flatMap((arg) => {
    if (Array.isArray(arg)) return arg as unknown[];
    const isNamed = typeof arg === 'object' && arg !== null && !ArrayBuffer.isView(arg);
    return isNamed ? Object.values(arg) : [arg];
  });
  return values.length === 0 && PLACEHOLDER.test(text) ? undefined : values;
}
