import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { errorNameOf, isError } from '../async/thrown.js';
import type { GraphqlOperation } from './graphql-operation.js';
import type { HandlerInfo } from './handler-info.js';

/** What is known of a request when its response is closed. */
export interface ClosedRequest {
  /** Whether this package created its span. Another tool describes its span itself, except for the route. */
  readonly isOwnSpan: boolean;
  /** The name of the operation. */
  readonly operationName: string;
  readonly route: string | undefined;
  readonly method: string | undefined;
  /** The response was closed before all of it was sent. */
  readonly isAborted: boolean;
  readonly handler: HandlerInfo | undefined;
  readonly graphql: GraphqlOperation | undefined;
  /** What the handler threw. */
  readonly thrown: unknown;
}

/** Sets what the semantic conventions ask for. */
export function annotateServerSpan(
  span: Span,
  { isOwnSpan, operationName, route, method, isAborted, handler, graphql, thrown }: ClosedRequest,
  statusCode: number,
  hasFailed: boolean,
): void {
  // A tool without OpenTelemetry's SDK describes its spans itself.
  const isDescribed = isOwnSpan || 'instrumentationScope' in span;
  if (route !== undefined && isDescribed) span.setAttribute('http.route', route);
  if (isAborted) span.setAttribute('performance.http.aborted', true);
  if (!isOwnSpan) return;
  span.updateName(route === undefined && graphql === undefined ? (method ?? 'HTTP') : operationName);
  span.setAttribute('http.response.status_code', statusCode);
  if (handler !== undefined) span.setAttribute('code.function.name', handler.name);
  if (graphql !== undefined) {
    span.setAttribute('graphql.operation.type', graphql.type);
    span.setAttribute('graphql.operation.name', graphql.name);
  }
  if (!hasFailed) return;
  span.setAttribute('error.type', isError(thrown) ? errorNameOf(thrown) : String(statusCode));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** The SDK's `kind` is not written to through the API, but exporters read it when the span ends. */
export function makeInternal(span: Span): void {
  try {
    (span as Span & { kind?: SpanKind }).kind = SpanKind.INTERNAL;
  } catch {
    // It stays a SERVER span.
  }
}

export function isInTraceOf(span: Span, other: Span): boolean {
  return span.spanContext().traceId === other.spanContext().traceId;
}
