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
import { dialectOf } from '../spans/statement-dialect.js';
import { setParameters } from './work-tracking.js';

/** A statement that a driver executes. */
export interface Query {
  /** `db.system.name` by the semantic conventions. */
  readonly system: string;
  /** Empty if it is unknown. */
  readonly text: string;
  /** Its bound values, or undefined where they are unknown. */
  readonly values: readonly unknown[] | undefined;
  readonly attributes?: Attributes;
  /** When it started, in milliseconds since 1970. Default: now. */
  readonly startTime?: number;
}

/** Options of a span whose creator knows what it represents. Tracers other than this package's own ignore it. */
export interface DescribedSpanOptions extends SpanOptions {
  readonly description?: SpanDescription | undefined;
}

/** The descriptions of statements, which all their executions share. */
const descriptions = new WeakMap<KnownStatement, SpanDescription>();

/**
 * Starts the CLIENT span of a query in the active context, with the summary of its statement as its name. Only hashes of its
 * values are kept. Never throws.
 */
export function startQuery(tracer: Tracer, query: Query): Span | undefined {
  const measured = meter.enter(COST.queryStart);
  try {
    const { system, values } = query;
    const span = attempt(`creating the span of a query of ${system} failed`, () => startSpan(tracer, query));
    if (span !== undefined && values !== undefined)
      attempt(`reading the values of a query of ${system} failed`, () => setParameters(span, values));
    return span;
  } finally {
    meter.leave(COST.queryStart, measured);
  }
}

function startSpan(tracer: Tracer, { system, text, attributes: given, startTime }: Query): Span {
  const kind = SpanKind.CLIENT;
  const attributes: Attributes = { 'db.system.name': system, ...given };
  if (text === '') return tracer.startSpan(`${system}.query`, { kind, attributes, startTime });
  const statement = knownStatements.get(text, dialectOf(attributes));
  attributes['db.query.text'] = statement.text;
  const { summary } = statement;
  let description = descriptions.get(statement);
  if (description === undefined) {
    const asGiven = { ...attributes, 'db.query.text': text };
    description = describeSpan({ name: summary, kind, attributes: asGiven }, knownStatements);
    if (description.isFinal) descriptions.set(statement, description);
  }
  const described: DescribedSpanOptions = { kind, attributes, startTime, description };
  return tracer.startSpan(summary, described);
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
