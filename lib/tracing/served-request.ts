import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { diag, type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { HttpEvidence, HttpEvidenceSource } from '../operation/operation.js';
import { requestName } from '../spans/classify.js';
import type { SpanSink } from '../spans/live-span.js';
import { liveSpanOf } from '../spans/live-span.js';
import type { SdkSpan } from '../spans/sdk-span.js';
import { round } from '../text/round.js';

const REQUEST: unique symbol = Symbol.for('nestjs-performance.request') as never;

/** What a framework leaves on a request that says which route it took. */
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
    diag.error('nestjs-performance: a request could not be counted', error);
  }
}

/** The handler that the router chose for a request. One for each handler of the application. */
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

  /** The name of the operation. A handler nearly always serves one route, whose name is made once. */
  operationName(method: string | undefined, route: string | undefined): string {
    if (method !== this.method || route !== this.route || this.operation === '') {
      this.operation = requestName(method, route);
      this.method = method;
      this.route = route;
    }
    return this.operation;
  }
}

/** One request from the first byte parsed to the response's close. */
export class ServedRequest implements HttpEvidenceSource {
  /** The route's template, where the framework says it before the response is closed. */
  route: string | undefined;
  /** The name of the error that the handler threw. */
  errorName: string | undefined;
  private readonly startedAt = performance.now();
  private handler: HandlerInfo | undefined;
  private handlerStartedAt = 0;
  private handlerEndedAt = 0;
  /** The span of this request: our own, or that of the application's HTTP instrumentation. */
  private span: Span | undefined;
  private own = false;
  private ignored = false;

  constructor(
    private readonly request: RoutedRequest,
    private readonly response: ServerResponse,
    private readonly sink: SpanSink,
    private readonly onForeignSpan: () => void,
  ) {
    request[REQUEST] = this;
    (response as MeasuredResponse)[REQUEST] = this;
    // Not `once`: a response closes once, and the wrapper would be made for each.
    response.on('close', onClose);
  }

  /** Takes a span of ours. */
  begin(span: Span): void {
    this.span = span;
    this.own = true;
  }

  /**
   * Takes the span that another instrumentation made for this request. Where there is one of ours already, the other
   * turned up since: ours steps back, and from the next request on there is none.
   */
  adopt(active: Span | undefined): void {
    const span = active as SdkSpan | undefined;
    if (span === undefined || span === this.span || span.kind !== SpanKind.SERVER) return;
    if (this.own) {
      if (!span.instrumentationScope.name.endsWith('instrumentation-http')) return;
      const ours = liveSpanOf(this.span);
      if (ours !== undefined) ours.duplicate = true;
      this.span?.end();
      this.own = false;
      this.onForeignSpan();
    }
    this.span = span;
  }

  /** Leaves this request out of the statistics. */
  ignore(): void {
    this.ignored = true;
    const state = liveSpanOf(this.span);
    if (state === undefined) return;
    state.duplicate = true;
    // It is no company to others, however long it takes.
    this.sink.markAsStream(state);
  }

  /** The router chose this handler; guards have let the request pass. */
  handlerStarted(handler: HandlerInfo): void {
    this.handler = handler;
    this.handlerStartedAt = performance.now();
    const name = this.name();
    if (handler.thresholdMs !== undefined) this.sink.thresholds.setRoute(name, handler.thresholdMs);
    const state = liveSpanOf(this.span);
    if (state === undefined) return;
    state.type = 'http';
    state.name = name;
    if (handler.thresholdMs === Number.POSITIVE_INFINITY) this.sink.markAsStream(state);
  }

  handlerEnded(): void {
    this.handlerEndedAt = performance.now();
  }

  /** The response is closed: complete, or because the client went away. */
  closed(): void {
    const durationMs = performance.now() - this.startedAt;
    const name = this.name();
    const failed = this.response.statusCode >= 500;
    const thresholdMs = this.thresholdMs(name, durationMs);
    const { span } = this;
    if (span !== undefined) this.describe(span, name, failed);
    const state = liveSpanOf(span);
    if (state !== undefined) {
      state.type = 'http';
      state.name = name;
      state.http = this;
      state.thresholdMs = thresholdMs;
    } else if (!this.ignored) {
      this.sink.record({ type: 'http', name, durationMs, thresholdMs, error: failed, span, http: this });
    }
    if (this.own) span?.end();
  }

  get statusCode(): number {
    return this.response.statusCode;
  }

  /** Where the time went, as far as the request got. */
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

  /** The name by the route's template, as far as it is known by now. */
  private name(): string {
    const { handler, request } = this;
    const route = this.route ?? this.expressRoute();
    return handler === undefined
      ? requestName(request.method, route)
      : handler.operationName(request.method, route);
  }

  private expressRoute(): string | undefined {
    const { route, baseUrl } = this.request;
    if (typeof route?.path !== 'string') return undefined;
    // A middleware bound to a wildcard leaves its own pattern where no handler was found.
    if (this.handler === undefined && route.path.includes('*')) return undefined;
    return `${baseUrl ?? ''}${route.path}`;
  }

  private thresholdMs(name: string, durationMs: number): number | undefined {
    const thresholdMs = this.handler?.thresholdMs ?? this.sink.thresholds.ofRoute(name);
    // A stream of events is open for as long as somebody listens; that says nothing of its speed.
    const slow = thresholdMs !== undefined && durationMs > thresholdMs;
    return slow && isEventStream(this.response) ? Number.POSITIVE_INFINITY : thresholdMs;
  }

  private describe(span: Span, name: string, failed: boolean): void {
    const { statusCode } = this.response;
    const route = this.route ?? this.expressRoute();
    if (route !== undefined) span.setAttribute('http.route', route);
    if (!this.response.writableFinished) span.setAttribute('performance.http.aborted', true);
    if (!this.own) return;
    span.updateName(route === undefined ? (this.request.method ?? 'HTTP') : name);
    span.setAttribute('http.response.status_code', statusCode);
    if (this.handler !== undefined) span.setAttribute('code.function.name', this.handler.name);
    if (!failed) return;
    span.setAttribute('error.type', this.errorName ?? String(statusCode));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
}

function isEventStream(response: ServerResponse): boolean {
  const type = response.getHeader('content-type');
  return typeof type === 'string' && type.startsWith('text/event-stream');
}

/** The measurement of a request, given the framework's or Node's own request. */
export function servedRequest(request: unknown): ServedRequest | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  const { raw = request } = request as { raw?: unknown };
  return (raw as RoutedRequest)[REQUEST];
}
