import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { HttpEvidence } from '../monitor/operation.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { round } from '../monitor/round.js';
import { stateOf } from '../monitor/span-state.js';
import { requestName } from '../tracing/classify.js';
import type { SdkSpan } from '../tracing/sdk-span.js';

const REQUEST: unique symbol = Symbol.for('nestjs-performance.request') as never;

/** What a framework leaves on a request that says which route it took. */
interface RoutedRequest extends IncomingMessage {
  [REQUEST]?: ServedRequest;
  /** Express: the mount point and the route below it. */
  baseUrl?: string;
  route?: { path?: unknown };
}

/** The handler that the router chose for a request. */
export interface HandlerInfo {
  /** `UsersController.findOne` */
  readonly name: string;
  /** The handler's own threshold in milliseconds. */
  readonly thresholdMs: number | undefined;
}

/** One request from the first byte parsed to the response's close. */
export class ServedRequest {
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
    private readonly monitor: PerformanceMonitor,
    private readonly onForeignSpan: () => void,
  ) {
    request[REQUEST] = this;
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
      const ours = stateOf(this.span);
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
    const state = stateOf(this.span);
    if (state !== undefined) state.duplicate = true;
  }

  /** The router chose this handler; guards have let the request pass. */
  handlerStarted(handler: HandlerInfo): void {
    this.handler = handler;
    this.handlerStartedAt = performance.now();
    const state = stateOf(this.span);
    if (handler.thresholdMs !== undefined || state !== undefined) {
      const name = this.name();
      if (handler.thresholdMs !== undefined) this.monitor.thresholds.setRoute(name, handler.thresholdMs);
      if (state !== undefined) {
        state.name = name;
        state.type = 'http';
        state.thresholdMs = handler.thresholdMs;
      }
    }
  }

  handlerEnded(): void {
    this.handlerEndedAt = performance.now();
  }

  /** The response is closed: complete, or because the client went away. */
  closed(): void {
    const now = performance.now();
    const name = this.name();
    const { statusCode, writableFinished } = this.response;
    const failed = statusCode >= 500;
    const state = stateOf(this.span);
    const evidence = this.evidence(now);
    if (state !== undefined) {
      state.type = 'http';
      state.name = name;
      state.http = evidence;
      state.thresholdMs = this.thresholdMs(name);
    }
    if (this.span !== undefined) this.describe(this.span, name, failed);
    if (state === undefined && !this.ignored) {
      this.monitor.record({
        type: 'http',
        name,
        durationMs: now - this.startedAt,
        thresholdMs: this.thresholdMs(name),
        error: failed,
        span: this.span,
        http: evidence,
      });
    }
    if (!writableFinished) this.span?.setAttribute('performance.http.aborted', true);
    if (this.own) this.span?.end();
  }

  /** The name by the route's template, as far as it is known by now. */
  private name(): string {
    return requestName(this.request.method, this.route ?? this.expressRoute());
  }

  private expressRoute(): string | undefined {
    const { route, baseUrl } = this.request;
    if (typeof route?.path !== 'string') return undefined;
    // A middleware bound to a wildcard leaves its own pattern where no handler was found.
    if (this.handler === undefined && route.path.includes('*')) return undefined;
    return `${baseUrl ?? ''}${route.path}`;
  }

  private thresholdMs(name: string): number | undefined {
    // A stream of events is open for as long as somebody listens; that says nothing of its speed.
    if (isEventStream(this.response)) return Number.POSITIVE_INFINITY;
    return this.handler?.thresholdMs ?? this.monitor.thresholds.ofRoute(name);
  }

  private describe(span: Span, name: string, failed: boolean): void {
    const { statusCode } = this.response;
    const route = name.slice(name.indexOf(' ') + 1);
    if (route !== '(unmatched)') span.setAttribute('http.route', route);
    if (!this.own) return;
    span.updateName(route === '(unmatched)' ? name.slice(0, name.indexOf(' ')) : name);
    span.setAttribute('http.response.status_code', statusCode);
    if (this.handler !== undefined) span.setAttribute('code.function.name', this.handler.name);
    if (!failed) return;
    span.setAttribute('error.type', this.errorName ?? String(statusCode));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }

  private evidence(now: number): HttpEvidence {
    const evidence: HttpEvidence = { statusCode: this.response.statusCode };
    if (!this.response.writableFinished) evidence.aborted = true;
    if (this.handler === undefined) return evidence;
    evidence.handler = this.handler.name;
    evidence.beforeHandlerMs = round(this.handlerStartedAt - this.startedAt);
    if (this.handlerEndedAt > 0) {
      evidence.handlerMs = round(this.handlerEndedAt - this.handlerStartedAt);
      evidence.afterHandlerMs = round(now - this.handlerEndedAt);
    }
    return evidence;
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
