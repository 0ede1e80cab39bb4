import { join } from 'node:path';
import type { Span, Tracer, TracerProvider } from '@opentelemetry/api';
import { attempt } from '../../async/thrown.js';
import { knownStatements } from '../../spans/statement.js';
import { POSTGRES } from '../../spans/statement-dialect.js';
import { SCOPE } from '../../spans/tracing-runtime.js';
import type { InstalledModules } from '../installed-modules.js';
import { isWrapped, type PatchingInstrumentation } from '../late-instrumentation.js';
import { Database, endQuery, startQuery } from '../query-span.js';
import { setRowCount } from '../work-tracking.js';

/** A query of postgres.js: a promise that executes it once it is awaited, or a part of another query. */
interface Query {
  readonly strings: readonly string[];
  readonly args: readonly unknown[];
  /** Whether it is a tagged template, with a value between each two strings. */
  readonly tagged: boolean;
  readonly executed: boolean;
  readonly cursorRows?: unknown;
  /** Its complete text, once it is sent. */
  readonly string?: string;
  handle(): Promise<void>;
  resolve(result: unknown): unknown;
  reject(error: unknown): unknown;
}

type QueryClass = { prototype: Query };
type Handle = (this: Query) => Promise<void>;

/** Within each build of postgres.js, the file of the class. It imports nothing, so that loading it starts nothing. */
const COMMONJS = join('cjs', 'src', 'query.js');
const ESM = join('src', 'query.js');

const FAULT = 'tracing a query of postgres.js failed';
const DATABASE = new Database('postgresql');

/** Nested parts of a query that are read. */
const MAX_DEPTH = 8;

/**
 * Creates a span for each query that postgres.js executes, from its `await` to its result. Queries are wrapped where they
 * execute: a part of another query, and one that is never awaited, has no span.
 */
export class PostgresJsInstrumentation implements PatchingInstrumentation {
  private tracer: Tracer | undefined;
  private readonly originals = new Map<Query, Handle>();

  setTracerProvider(provider: TracerProvider): void {
    this.tracer = provider.getTracer(SCOPE.name, SCOPE.version);
  }

  /** Patches the classes of every copy that the application may load. */
  patchCopies(modules: InstalledModules): void {
    for (const { folder } of modules.copies('postgres')) {
      this.patch(modules.load(join(folder, COMMONJS)));
      try {
        this.patch(modules.load(join(folder, ESM)));
      } catch {
        // Where ECMAScript modules cannot be required, as in Jest, the application does not use this build.
      }
    }
  }

  disable(): void {
    for (const [prototype, original] of this.originals) prototype.handle = original;
    this.originals.clear();
  }

  private patch(exports: unknown): void {
    const { prototype } = (exports as { Query: QueryClass }).Query;
    if (isWrapped(prototype.handle)) return;
    const original = prototype.handle as Handle;
    const instrumentation = this;
    const handle: Handle = function (this: Query) {
      if (!this.executed) attempt(FAULT, () => instrumentation.start(this));
      return original.call(this);
    };
    this.originals.set(prototype, original);
    prototype.handle = Object.assign(handle, { __wrapped: true });
  }

  private start(query: Query): void {
    const { tracer } = this;
    if (tracer === undefined) return;
    const values: unknown[] = [];
    const text = textOf(query, values);
    const span = startQuery(tracer, { database: DATABASE, text, values });
    if (span !== undefined) endWith(span, query, text);
  }
}

/** Ends the span when the query is resolved or rejected. A cursor sets new functions for each step. */
function endWith(span: Span, query: Query, text: string): void {
  let { resolve, reject } = query;
  const settle =
    (isError: boolean) =>
    (outcome: unknown): unknown => {
      endQuery(span, isError ? outcome : undefined, () => {
        if (!isError) setRowCount(span, (outcome as { count?: unknown } | undefined)?.count);
        if (query.string !== undefined && query.string !== text) setText(span, query.string);
      });
      return (isError ? reject : resolve)(outcome);
    };
  const settleResolve = settle(false);
  const settleReject = settle(true);
  if (query.cursorRows === undefined) {
    query.resolve = settleResolve;
    query.reject = settleReject;
    return;
  }
  Object.defineProperties(query, {
    resolve: { configurable: true, get: () => settleResolve, set: (given) => (resolve = given) },
    reject: { configurable: true, get: () => settleReject, set: (given) => (reject = given) },
  });
}

/** Lists of columns and rows are written when the query is sent, and files are read until then. */
function setText(span: Span, text: string): void {
  span.setAttribute('db.query.text', knownStatements.get(text, POSTGRES).text);
}

/**
 * The text of a query as far as it is known before it is executed.
 * @param values receives the bound values
 */
function textOf(query: Query, values: unknown[], depth = 0): string {
  const { strings, args, tagged } = query;
  if (!tagged) {
    values.push(...args);
    return strings[0] ?? '';
  }
  let text = strings[0] ?? '';
  for (let at = 1; at < strings.length; at++) {
    text += partOf(args[at - 1], values, depth) + (strings[at] as string);
  }
  return text;
}

/** A value between the strings of a template: a part of the query, a name, a list of columns or rows, or a bound value. */
function partOf(value: unknown, values: unknown[], depth: number): string {
  if (Array.isArray(value) && value.some(isQuery) && depth < MAX_DEPTH)
    return value.map((part) => partOf(part, values, depth + 1)).join(' ');
  if (isQuery(value)) return depth < MAX_DEPTH ? textOf(value, values, depth + 1) : '';
  switch (classOf(value)) {
    case 'Identifier':
      return String((value as { value: unknown }).value);
    case 'Builder': {
      const { first, rest } = value as { first: unknown; rest: unknown };
      return addList(first, rest, values);
    }
    case 'Parameter':
      values.push((value as { value: unknown }).value);
      break;
    default:
      values.push(value);
  }
  return `$${values.length}`;
}

/** `sql([1, 2])`, `sql({ title })`, `sql(rows, 'title')`: how it is written depends on the words before it. */
function addList(first: unknown, rest: unknown, values: unknown[]): string {
  const from = values.length;
  for (const item of Array.isArray(first) ? (first as unknown[]) : [first]) {
    if (typeof item === 'object' && item !== null && !(item instanceof Date))
      values.push(...Object.values(item));
    else values.push(item);
  }
  if (values.length === from) values.push(rest);
  return `(${values
    .slice(from, from + 3)
    .map((_value, at) => `$${from + at + 1}`)
    .join(', ')})`;
}

function isQuery(value: unknown): value is Query {
  return value instanceof Promise && 'strings' in value;
}

function classOf(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null ? value.constructor?.name : undefined;
}
