import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { context, type Span, trace } from '@opentelemetry/api';
import { boundedName, type HttpEvidence, type HttpEvidenceSource } from '../operation/operation.js';
import { requestName } from '../spans/classify.js';
import { isErrorOfCaller } from '../spans/expected-error.js';
import { type LiveSpan, liveSpanOf, type SpanSink } from '../spans/live-span.js';
import { round } from '../text/round.js';
import { serverSpanBetween, serverSpanIn, spansOfRequests } from './application-spans.js';
import { ClientWait } from './client-wait.js';
import type { FastifyRequest } from './framework-requests.js';
import { type ClientNames, type GraphqlOperation, operationNameOf } from './graphql-operation.js';
import type { HandlerInfo } from './handler-info.js';
import type { Mounts } from './mounts.js';
import { isHandshake, isOpenResponse } from './open-response.js';
import { endWhenFinished, type WatchedRequest, watchRequest } from './request-listeners.js';
import { expressRoute, middlewareRoute, type RoutedRequest } from './request-route.js';
import { annotateServerSpan, type ClosedRequest, isInTraceOf, makeInternal } from './server-span.js';

/** What the requests of an application share. */
export interface RequestServer {
  readonly sink: SpanSink;
  readonly mounts: Mounts;
  readonly operationNames: ClientNames;
  /** Called when it turns out whether another tool creates the spans of requests. */
  onSpanOrigin(isOther: boolean): void;
}

/** One incoming request, from the first parsed byte to the close of the response. */
export class ServedRequest implements HttpEvidenceSource, WatchedRequest, ClosedRequest {
  // Express gives each request and response a hidden class of its own, in which V8 before that of Node 24 searches a property
  // for up to half a microsecond: what is known of them is kept, and read only once.
  route: string | undefined;
  method: string | undefined;
  private readonly socket: Socket | null | undefined;
  /** The operating system has all of the response: whether it was finished need not be read. */
  private isDelivered = false;
  /** The response was closed before the client could have received all of it. It may still be ended then. */
  isAborted = false;
  /** What the handler threw. */
  thrown: unknown;
  /** Known once the response is closed. */
  operationName = '';
  private readonly startedAt = performance.now();
  handler: HandlerInfo | undefined;
  private handlerStartedAt = 0;
  private handlerEndedAt = 0;
  private span: Span | undefined;
  /** Whether this package created the span, not another tool. */
  isOwnSpan = false;
  private activeAtServer: Span | undefined;
  private isClosed = false;
  /** Made when it first waits for its client. */
  private client: ClientWait | undefined;
  private ignored = false;

  private readonly sink: SpanSink;
  /** The request of the framework, where that is another object. */
  private framework: FastifyRequest | undefined;
  /** The connection becomes a WebSocket, which is not named by what its messages ask for. */
  private isWebSocket = false;
  /** It stays open for as long as the client listens: its duration is not slow. */
  private isStream = false;
  /** The name and type of its GraphQL operation. */
  graphql: GraphqlOperation | undefined;
  /** One of its resolvers failed, although the response has the status 200. */
  hasFailedResolver = false;

  constructor(
    private readonly request: RoutedRequest,
    private readonly response: ServerResponse,
    private readonly server: RequestServer,
  ) {
    this.sink = server.sink;
    this.socket = response.socket;
    watchRequest(request, response, this);
  }

  /** The request came without a server: by `inject`, a serverless adapter, or as the upgrade of a connection. */
  beganWithoutServer(): void {
    // Its response may never be closed.
    endWhenFinished(this.response);
    this.isWebSocket = isHandshake(this.request);
    if (this.isWebSocket) this.markAsStream();
  }

  /** Sets the span that this package created for the request. */
  begin(span: Span): void {
    this.span = span;
    this.isOwnSpan = true;
    const live = liveSpanOf(span);
    if (live !== undefined) live.http = this;
  }

  /** @param active the span that is active at the server */
  leaveToOther(active: Span | undefined): void {
    this.activeAtServer = active;
  }

  /** The first listener is called. What creates spans at the server has done so. */
  reachedFirstListener(): void {
    const active = context.active();
    if (this.span !== undefined) {
      if (trace.getSpan(active) !== this.span) this.adopt(serverSpanIn(active));
      return;
    }
    this.adopt(serverSpanBetween(this.activeAtServer, active));
    if (this.span === undefined) this.server.onSpanOrigin(false);
  }

  /** Middleware and hooks of the framework may have created the span of the request. */
  reachedFramework(): void {
    const active = context.active();
    if (trace.getSpan(active) !== this.span) this.adopt(serverSpanIn(active));
  }

  /**
   * Uses the SERVER span that another tool created for the request, so that it has a single one. If this package has created
   * one already, that one stays in the trace as an internal span when the other is below it, and is discarded otherwise.
   * A further span below the span of the request is not counted.
   */
  adopt(span: Span | undefined): void {
    // The handler may create SERVER spans of its own.
    if (span === undefined || span === this.span || this.handler !== undefined) return;
    const live = liveSpanOf(span);
    const current = liveSpanOf(this.span);
    const isBelow = live !== undefined && current !== undefined && live.root === current.root;
    if (isBelow) live.duplicate = true;
    if (this.span !== undefined && !this.isOwnSpan) return;
    this.server.onSpanOrigin(true);
    if (this.span !== undefined) {
      makeInternal(this.span);
      if (isBelow || (live === undefined && isInTraceOf(this.span, span))) return;
      if (current !== undefined) current.duplicate = true;
      this.span.end();
      this.isOwnSpan = false;
    }
    this.span = span;
    spansOfRequests.add(span);
    if (this.isStream) this.markAsStream();
    this.describe();
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

  /** Nobody waits for its end, and it is no concurrent request to others. */
  private markAsStream(): void {
    this.isStream = true;
    const live = liveSpanOf(this.span);
    if (live !== undefined) this.sink.requests.markAsStream(live);
  }

  /**
   * The handler of the request is called: guards granted access.
   * @returns whether it is the first one. Others are its own code.
   */
  handlerStarted(handler: HandlerInfo): boolean {
    if (this.handler !== undefined) return false;
    this.reachedFramework();
    this.handler = handler;
    this.handlerStartedAt = performance.now();
    this.method = this.request.method;
    this.route = this.knownRoute();
    const name = this.name(this.route);
    if (handler.thresholdMs !== undefined) this.sink.thresholds.setRoute(name, handler.thresholdMs);
    if (handler.thresholdMs === Number.POSITIVE_INFINITY || this.graphql?.type === 'subscription')
      this.markAsStream();
    const live = liveSpanOf(this.span);
    if (live === undefined) return true;
    live.type = 'http';
    live.name = name;
    this.sink.requests.named(live);
    // Another tool may end its span before the response is closed.
    if (!this.isOwnSpan) live.thresholdMs = this.knownThresholdMs(name);
    return true;
  }

  /** The framework chose a route, given as its template, before the handler starts. */
  routed(route: string, request: FastifyRequest | undefined): void {
    this.route = route;
    this.framework = request;
    if (!this.isOwnSpan) this.describe();
  }

  /** Fastify chose a route. It names what is answered before the handler: a body that is refused, or a hook that ends it. */
  matched(request: FastifyRequest): void {
    this.framework = request;
  }

  /** The handler threw. Whether the request failed is decided by its response: an exception filter may answer with 404. */
  failed(error: unknown): void {
    this.thrown = error;
  }

  /**
   * A resolver of a GraphQL operation is called. The first one gives the request its name and threshold.
   * @param field the name of the resolver
   */
  resolverStarted(type: string, field: string, resolver: HandlerInfo): void {
    if (this.handler !== undefined || this.isWebSocket) return;
    const { operationNames } = this.server;
    this.graphql = {
      type,
      name: operationNames.bounded(operationNameOf(this.framework ?? this.request)) ?? field,
    };
    this.handlerStarted(resolver);
  }

  handlerEnded(): void {
    this.handlerEndedAt = performance.now();
  }

  awaitUpload(): void {
    this.client ??= new ClientWait();
    this.client.begin(this.runningSpan());
  }

  uploaded(): void {
    this.client?.uploaded(this.runningSpan());
  }

  answered(): void {
    // Of requests on one connection, a later one gets the socket only after the response to the earlier one.
    const socket = this.socket ?? this.response.socket;
    if ((socket?.writableLength ?? 0) === 0) {
      this.isDelivered = true;
      return;
    }
    this.uploaded();
    this.awaitUpload();
  }

  /** How long it waited for its client, in milliseconds. */
  get clientMs(): number {
    return this.client === undefined ? 0 : this.client.uploadMs + this.client.downloadMs;
  }

  /** Its span, unless that has ended. */
  runningSpan(): LiveSpan | undefined {
    const live = liveSpanOf(this.span);
    return live?.ended === false ? live : undefined;
  }

  /** @param error what the handler threw */
  handlerFailed(error: unknown): void {
    this.failed(error);
    if (this.graphql !== undefined && !isErrorOfCaller(error)) this.hasFailedResolver = true;
    this.handlerEnded();
  }

  closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isAborted = !this.isDelivered && !this.response.writableFinished;
    if (this.client !== undefined) this.endWait(this.client);
    // The connection was refused: what answers a handshake that succeeds does not use the response.
    if (this.isWebSocket && this.response.headersSent) this.isStream = false;
    const durationMs = performance.now() - this.startedAt;
    this.method ??= this.request.method;
    this.route = this.knownRoute();
    const name = this.name(this.route);
    this.operationName = name;
    const { statusCode } = this.response;
    const error = statusCode >= 500 || this.hasFailedResolver;
    const thresholdMs = this.thresholdMs(name, durationMs);
    const { span } = this;
    if (span !== undefined) annotateServerSpan(span, this, statusCode, error);
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

  private endWait(client: ClientWait): void {
    if (this.response.writableEnded) client.downloaded(this.runningSpan());
    else client.uploaded(this.runningSpan());
  }

  get statusCode(): number {
    return this.response.statusCode;
  }

  get handlerName(): string | undefined {
    return this.handler?.name;
  }

  evidence(): HttpEvidence {
    const { handler, response } = this;
    const evidence: HttpEvidence = { statusCode: response.statusCode };
    if (this.isAborted) evidence.aborted = true;
    const { uploadMs = 0, downloadMs = 0 } = this.client ?? {};
    if (uploadMs >= 1) evidence.uploadMs = round(uploadMs);
    if (downloadMs >= 1) evidence.downloadMs = round(downloadMs);
    if (handler === undefined) return evidence;
    evidence.handler = handler.name;
    evidence.beforeHandlerMs = round(this.handlerStartedAt - this.startedAt);
    if (this.handlerEndedAt > 0) {
      evidence.handlerMs = round(this.handlerEndedAt - this.handlerStartedAt);
      evidence.afterHandlerMs = round(performance.now() - this.handlerEndedAt);
    }
    return evidence;
  }

  /** Describes the operation of a span that another tool may end before the response is closed. */
  private describe(): void {
    const live = liveSpanOf(this.span);
    if (live === undefined) return;
    live.type = 'http';
    live.name = this.name(this.knownRoute());
    live.http = this;
  }

  /** The name of the operation, by the route that is known so far. */
  private name(route: string | undefined): string {
    const { handler, request, graphql } = this;
    if (graphql !== undefined) return boundedName(`${graphql.type} ${graphql.name}`);
    const method = this.method ?? request.method;
    return handler === undefined ? requestName(method, route) : handler.operationName(method, route);
  }

  private knownRoute(): string | undefined {
    if (this.route !== undefined) return this.route;
    const { request, response, handler, server } = this;
    const route = expressRoute(request, server.mounts, handler !== undefined);
    if (route !== undefined || !this.isClosed) return route;
    return middlewareRoute(request, response, server.mounts, this.framework);
  }

  private knownThresholdMs(name: string): number | undefined {
    return this.isStream
      ? Number.POSITIVE_INFINITY
      : (this.handler?.thresholdMs ?? this.sink.thresholds.ofRoute(name));
  }

  private thresholdMs(name: string, durationMs: number): number | undefined {
    const thresholdMs = this.knownThresholdMs(name);
    if (thresholdMs === undefined || durationMs <= thresholdMs) return thresholdMs;
    return isOpenResponse(this.request, this.response) ? Number.POSITIVE_INFINITY : thresholdMs;
  }
}
