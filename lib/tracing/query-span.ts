import { isNativeError } from 'node:util/types';
import {
  type Attributes,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
} from '@opentelemetry/api';
import { attempt } from '../async/thrown.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { describeSpan, type SpanDescription } from '../spans/span-description.js';
import { type KnownStatement, knownStatements } from '../spans/statement.js';
import { type Dialect, dialectOf } from '../spans/statement-dialect.js';
import { setParameters } from './work-tracking.js';

/** A statement that a driver executes. */
export interface Query {
  readonly database: Database;
  /** Empty if it is unknown. */
  readonly text: string;
  /** Its bound values, or undefined where they are unknown. */
  readonly values: readonly unknown[] | undefined;
  /** When it started, in milliseconds since 1970. Default: now. */
  readonly startTime?: number;
}

/** Options of a span whose creator knows what it represents. Tracers other than this package's own ignore it. */
export interface DescribedSpanOptions extends SpanOptions {
  readonly description?: SpanDescription | undefined;
  /** The attributes are valid and never change: a span needs no copy of them until it has others. */
  readonly isShared?: boolean;
}

/** A database, as the spans of its statements name it. All executions of a statement share the options of their spans. */
export class Database {
  readonly attributes: Attributes;
  private readonly dialect: Dialect;
  private readonly known = new WeakMap<KnownStatement, DescribedSpanOptions>();

  /**
   * @param system `db.system.name` by the semantic conventions
   * @param attributes others by which its spans name it
   */
  constructor(
    readonly system: string,
    attributes: Attributes = {},
  ) {
    this.attributes = { 'db.system.name': system, ...attributes };
    this.dialect = dialectOf(this.attributes);
  }

  statement(text: string): KnownStatement {
    return knownStatements.get(text, this.dialect);
  }

  /** The options of the span of a statement that starts now. */
  optionsOf(statement: KnownStatement): DescribedSpanOptions {
    let options = this.known.get(statement);
    if (options === undefined) {
      options = this.describe(statement);
      this.known.set(statement, options);
    }
    return options;
  }

  private describe({ raw, text, summary }: KnownStatement): DescribedSpanOptions {
    const kind = SpanKind.CLIENT;
    const asGiven = { ...this.attributes, 'db.query.text': raw };
    const description = describeSpan({ name: summary, kind, attributes: asGiven }, knownStatements);
    return { kind, attributes: { ...this.attributes, 'db.query.text': text }, isShared: true, description };
  }
}

/**
 * Starts the CLIENT span of a query in the active context, with the summary of its statement as its name. Only hashes of its
 * values are kept. Never throws.
 */
export function startQuery(tracer: Tracer, query: Query): Span | undefined {
  const measured = meter.enter(COST.queryStart);
  try {
    const { values } = query;
    const { system } = query.database;
    const span = attempt(`creating the span of a query of ${system} failed`, () => startSpan(tracer, query));
    if (span !== undefined && values !== undefined)
      attempt(`reading the values of a query of ${system} failed`, () => setParameters(span, values));
    return span;
  } finally {
    meter.leave(COST.queryStart, measured);
  }
}

function startSpan(tracer: Tracer, { database, text, startTime }: Query): Span {
  if (text === '') {
    const { system, attributes } = database;
    return tracer.startSpan(`${system}.query`, { kind: SpanKind.CLIENT, attributes, startTime });
  }
  const statement = database.statement(text);
  const options = database.optionsOf(statement);
  return tracer.startSpan(statement.summary, startTime === undefined ? options : { ...options, startTime });
}

/**
 * Ends the span of a query, as failed if there is an error. Never throws.
 * @param complete sets what is known only now
 */
export function endQuery(span: Span, error: unknown, complete: () => void): void {
  const measured = meter.enter(COST.queryEnd);
  try {
    attempt('reading the outcome of a query failed', () => {
      setError(span, error);
      complete();
    });
    attempt('ending the span of a query failed', () => span.end());
  } finally {
    meter.leave(COST.queryEnd, measured);
  }
}

/** Marks a span as failed, unless there is no error. */
export function setError(span: Span, error: unknown): void {
  if (error === undefined || error === null) return;
  span.setAttribute(
    'error.type',
    error instanceof Error || isNativeError(error) ? errorType(error) : typeof error,
  );
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Drivers set a code, `WRONGTYPE` or `ER_NO_SUCH_TABLE`, which is more specific than the class. */
function errorType(error: Error & { code?: unknown }): string {
  return typeof error.code === 'string' ? error.code : error.name;
}
