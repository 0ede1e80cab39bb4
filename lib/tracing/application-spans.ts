import {
  type Attributes,
  type Context,
  createContextKey,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { classify } from '../spans/classify.js';
import { SCOPE } from '../spans/tracing-runtime.js';

/** The key by which instrumentations of HTTP servers pass on the span of the request. */
const RPC_METADATA = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA');

/** The spans of requests in the tracer provider of the application. Each belongs to one request. */
export const spansOfRequests = new WeakSet<Span>();

/** A span of any API or SDK. Those that are not sampled, and proxies of other tools' spans, have no kind. */
type AnySpan = Span & {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  readonly ended?: boolean;
  readonly instrumentationScope?: { readonly name: string };
};

/** The SERVER span of a request that another tool has made active; undefined for spans of something else. */
export function serverSpanIn(context: Context): Span | undefined {
  const span = spanIn(context);
  if (span === undefined || isOfRequest(span) || hasEnded(span)) return undefined;
  return isServerSpan(span) || span === rpcSpanIn(context) ? span : undefined;
}

/**
 * As {@link serverSpanIn}, where a span became active between the server and its first listener. Then a span without a kind
 * belongs to the request, too.
 * @param before the span that was active at the server
 */
export function serverSpanBetween(before: Span | undefined, context: Context): Span | undefined {
  const span = spanIn(context);
  if (span === undefined || span.kind !== undefined) return serverSpanIn(context);
  return span === before || isOfRequest(span) ? undefined : span;
}

/** Whether a span may be that of an HTTP request: a SERVER span, unless it is one of another protocol. */
export function isServerSpan({ kind, attributes = {} }: AnySpan): boolean {
  return kind === SpanKind.SERVER && classify({ name: '', kind, attributes }) !== 'rpc';
}

/**
 * The context that the trace of a request continues.
 * @param active the context at the server
 * @param extracted the same, with the parent that the headers name
 */
export function continuedContext(active: Context, extracted: Context): Context {
  const local = spanIn(active);
  if (local === undefined) return extracted;
  const isExtracted = trace.getSpan(extracted) !== trace.getSpan(active);
  if (isOfRequest(local) || hasEnded(local)) return isExtracted ? extracted : trace.deleteSpan(extracted);
  // Another tool has continued the trace of the headers.
  const { traceId } = local.spanContext();
  return trace.getSpanContext(extracted)?.traceId === traceId ? trace.setSpan(extracted, local) : extracted;
}

/** The local span in a context. */
function spanIn(context: Context): AnySpan | undefined {
  if (context === ROOT_CONTEXT) return undefined;
  const span: AnySpan | undefined = rpcSpanIn(context) ?? trace.getSpan(context);
  if (span === undefined) return undefined;
  const spanContext = span.spanContext();
  return spanContext.isRemote === true || !isSpanContextValid(spanContext) ? undefined : span;
}

function rpcSpanIn(context: Context): Span | undefined {
  const metadata = context.getValue(RPC_METADATA) as { type?: unknown; span?: Span } | undefined;
  return metadata?.type === 'http' ? metadata.span : undefined;
}

/** Whether it is the span of another request, within which this one is served. */
function isOfRequest(span: AnySpan): boolean {
  return spansOfRequests.has(span) || span.instrumentationScope?.name === SCOPE.name;
}

function hasEnded(span: AnySpan): boolean {
  if (span.ended !== undefined) return span.ended;
  // A span that is not sampled does not record, either.
  return !span.isRecording() && (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}
