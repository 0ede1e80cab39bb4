import { isNativeError } from 'node:util/types';
import {
  type Attributes,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
} from '@opentelemetry/api';
import { attempt } from '../async/thrown.js';
import { knownStatements } from '../spans/statement.js';
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

/** Starts the CLIENT span of a query in the active context. Only hashes of its values are kept. Never throws. */
export function startQuery(
  tracer: Tracer,
  { system, text, values, attributes, startTime }: Query,
): Span | undefined {
  const span = attempt(`creating the span of a query of ${system} failed`, () => {
    const named: Attributes = { 'db.system.name': system, ...attributes };
    if (text !== '') named['db.query.text'] = knownStatements.get(text, dialectOf(named)).text;
    const options = { kind: SpanKind.CLIENT, attributes: named, startTime };
    return tracer.startSpan(`${system}.query`, options, context.active());
  });
  if (span !== undefined)
    attempt(`reading the values of a query of ${system} failed`, () => setParameters(span, values));
  return span;
}

/**
 * Ends the span of a query, as failed if there is an error. Never throws.
 * @param complete sets what is known only now
 */
export function endQuery(span: Span, error: unknown, complete: () => void): void {
  attempt('reading the outcome of a query failed', () => {
    setError(span, error);
    complete();
  });
  attempt('ending the span of a query failed', () => span.end());
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
