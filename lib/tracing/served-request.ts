import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { diag, type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { HttpEvidence, HttpEvidenceSource } from '../operation/operation.js';
import { requestName } from '../spans/classify.js';
import { liveSpanOf, type SpanSink } from '../spans/live-span.js';
import type { SdkSpan } from '../spans/sdk-span.js';
import { round } from '../text/round.js';

const REQUEST: unique symbol = Symbol.for('nestjs-performance.request') as never;

/** A request with the properties by which a framework exposes its route. */
interface RoutedRequest extends IncomingMessage {
  [REQUEST]?: ServedRequest;
  /** Express: the mount point and the route below it. */
  baseUrl?: string;
  route?: { path?: unknown };
}

interface MeasuredResponse extends ServerResponse {
  [REQUEST]?: ServedRequest;
}

function onClose(this: MeasuredResponse): void {
  try {
    this[REQUEST]?.closed();
  } catch (error) {
    diag.error('nestjs-performance: counting a request failed', error);
  }
}

/** A handler of the application, shared by all of its requests. */
export class HandlerInfo {
  private method: string | undefined;
  private route: string | undefined;
  private operation = '';

  constructor(
    /** `UsersController.findOne` */
    readonly name: string,
    /** The handler's own threshold in milliseconds. */
    readonly thresholdMs: number | undefined,
  ) {}

  /** The name of the operation. It is cached, because most handlers serve a single route. */
  operationName(method: string | undefined, route: string | undefined): string {
    if (method !== this.method || route !== this.route || this.operation === '') {
      this.operation = requestName(method, route);
      this.method = method;
      this.route = route;
    }
    return this.operation;
  }
}

/** One incoming request, from the first parsed byte to the close of the response. */
export class ServedRequest implements HttpEvidenceSource {
  /** The template of the route, if the framework exposes it before the response is closed. */
  route: string | undefined;
  /** The name of the error that the handler threw. */
  errorName: string | undefined;
  private readonly startedAt = performance.now();
  private handler: HandlerInfo | undefined;
  private handlerStartedAt = 0;
  private handlerEndedAt = 0;
  private span: Span | undefined;
  /** Whether this package created the span, not the application's HTTP instrumentation. */
  private isOwnSpan = false;
  private ignored = false;

  /** @param onApplicationSpan called when the application's HTTP instrumentation replaces a span of this package */
  constructor(
    private readonly request: RoutedRequest,
    private readonly response: ServerResponse,
    private readonly sink: SpanSink,
    private readonly onApplicationSpan: () => void,
  ) {
    request[REQUEST] = this;
    (response as MeasuredResponse)[REQUEST] = this;
    // Not `once`: a response closes only once, and each call would allocate a wrapper.
    response.on('close', onClose);
  }

  /** Sets the span that this package created for the request. */
  begin(span: Span): void {
    this.span = span;
    this.isOwnSpan = true;
  }

  /**
   * Uses the span that the application's HTTP instrumentation created for the request. It replaces a span of this package,
   * which is not counted.
   */
  adopt(active: Span | undefined): void {
    const span = active as SdkSpan | undefined;
    if (span === undefined || span === this.span || span.kind !== SpanKind.SERVER) return;
    if (this.isOwnSpan) {
      if (!span.instrumentationScope.name.endsWith('instrumentation-http')) return;
      const live = liveSpanOf(this.span);
      if (live !== undefined) live.duplicate = true;
      this.span?.end();
      this.isOwnSpan = false;
      this.onApplicationSpan();
    }
    this.span = span;
  }

  /** Excludes the request from the statistics. */
  ignore(): void {
    this.ignored = true;
    const live = liveSpanOf(this.span);
    if (live === undefined) return;
    live.duplicate = true;
    // However long it takes, it is no concurrent request to others.
    this.sink.requests.markAsStream(live);
  }

  /** The router chose a handler, and guards granted access. */
  handlerStarted(handler: HandlerInfo): void {
    this.handler = handler;
    this.handlerStartedAt = performance.now();
    const name = this.name();
    if (handler.thresholdMs !== undefined) this.sink.thresholds.setRoute(name, handler.thresholdMs);
    const live = liveSpanOf(this.span);
    if (live === undefined) return;
    live.type = 'http';
    live.name = name;
    if (handler.thresholdMs === Number.POSITIVE_INFINITY) this.sink.requests.markAsStream(live);
  }

  handlerEnded(): void {
    this.handlerEndedAt = performance.now();
  }

  /** The response is closed: it is complete, or the client disconnected. */
  closed(): void {
    const durationMs = performance.now() - this.startedAt;
    const name = this.name();
    const error = this.response.statusCode >= 500;
    const thresholdMs = this.thresholdMs(name, durationMs);
    const { span } = this;
    if (span !== undefined) this.setAttributes(span, name, error);
    const live = liveSpanOf(span);
    if (live !== undefined) {
      live.type = 'http';
      live.name = name;
      live.http = this;
      live.thresholdMs = thresholdMs;
    } else if (!this.ignored) {
      this.sink.record({ type: 'http', name, durationMs, thresholdMs, error, span, http: this });
    }
    if (this.isOwnSpan) span?.end();
  }

  get statusCode(): number {
    return this.response.statusCode;
  }

  evidence(): HttpEvidence {
    const { handler, response } = this;
    const evidence: HttpEvidence = { statusCode: response.statusCode };
    if (!response.writableFinished) evidence.aborted = true;
    if (handler === undefined) return evidence;
    evidence.handler = handler.name;
    evidence.beforeHandlerMs = round(this.handlerStartedAt - this.startedAt);
    if (this.handlerEndedAt > 0) {
      evidence.handlerMs = round(this.handlerEndedAt - this.handlerStartedAt);
      evidence.afterHandlerMs = round(performance.now() - this.handlerEndedAt);
    }
    return evidence;
  }

  /** The name of the operation, by the route that is known so far. */
  private name(): string {
    const { handler, request } = this;
    const route = this.knownRoute();
    return handler === undefined
      ? requestName(request.method, route)
      : handler.operationName(request.method, route);
  }

  private knownRoute(): string | undefined {
    if (this.route !== undefined) return this.route;
    const { route, baseUrl } = this.request;
    if (typeof route?.path !== 'string') return undefined;
    // A middleware with a wildcard leaves its own pattern on a request without a handler.
    if (this.handler === undefined && route.path.includes('*')) return undefined;
    return `${baseUrl ?? ''}${route.path}`;
  }

  private thresholdMs(name: string, durationMs: number): number | undefined {
    const thresholdMs = this.handler?.thresholdMs ?? this.sink.thresholds.ofRoute(name);
    // An event stream is open for as long as the client listens: its duration is not slow.
    const slow = thresholdMs !== undefined && durationMs > thresholdMs;
    return slow && isEventStream(this.response) ? Number.POSITIVE_INFINITY : thresholdMs;
  }

  private setAttributes(span: Span, name: string, error: boolean): void {
    const { statusCode } = this.response;
    const route = this.knownRoute();
    if (route !== undefined) span.setAttribute('http.route', route);
    if (!this.response.writableFinished) span.setAttribute('performance.http.aborted', true);
    if (!this.isOwnSpan) return;
    span.updateName(route === undefined ? (this.request.method ?? 'HTTP') : name);
    span.setAttribute('http.response.status_code', statusCode);
    if (this.handler !== undefined) span.setAttribute('code.function.name', this.handler.name);
    if (!error) return;
    span.setAttribute('error.type', this.errorName ?? String(statusCode));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
}

function isEventStream(response: ServerResponse): boolean {
  const type = response.getHeader('content-type');
  return typeof type === 'string' && type.startsWith('text/event-stream');
}

/** The measurement of a request, given the request of Node or of the framework. */
export function servedRequest(request: unknown): ServedRequest | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  const { raw = request } = request as { raw?: unknown };
  return (raw as RoutedRequest)[REQUEST];
}
