import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { errorNameOf, isError } from '../async/thrown.js';
import type { GraphqlOperation } from './graphql-operation.js';
import type { HandlerInfo } from './handler-info.js';

/** What is known of a request when its response is closed. */
export interface ClosedRequest {
  /** The name of the operation. */
  readonly name: string;
  readonly route: string | undefined;
  readonly method: string | undefined;
  readonly statusCode: number;
  /** The response was closed before all of it was sent. */
  readonly isAborted: boolean;
  readonly handler: HandlerInfo | undefined;
  readonly graphql: GraphqlOperation | undefined;
}

/**
 * Sets what the semantic conventions ask for.
 * @param isOwn whether this package created the span. Another tool describes its span itself, except for the route
 * @param failure what the handler threw, if the request failed
 */
export function annotateServerSpan(
  span: Span,
  isOwn: boolean,
  { name, route, method, statusCode, isAborted, handler, graphql }: ClosedRequest,
  failure: { readonly thrown: unknown } | undefined,
): void {
  // A tool without OpenTelemetry's SDK describes its spans itself.
  const isDescribed = isOwn || 'instrumentationScope' in span;
  if (route !== undefined && isDescribed) span.setAttribute('http.route', route);
  if (isAborted) span.setAttribute('performance.http.aborted', true);
  if (!isOwn) return;
  span.updateName(route === undefined && graphql === undefined ? (method ?? 'HTTP') : name);
  span.setAttribute('http.response.status_code', statusCode);
  if (handler !== undefined) span.setAttribute('code.function.name', handler.name);
  if (graphql !== undefined) {
    span.setAttribute('graphql.operation.type', graphql.type);
    span.setAttribute('graphql.operation.name', graphql.name);
  }
  if (failure === undefined) return;
  const { thrown } = failure;
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
