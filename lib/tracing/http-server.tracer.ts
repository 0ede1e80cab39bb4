import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import {
  type Attributes,
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  trace,
} from '@opentelemetry/api';
import { processWide } from '../async/process-wide.js';
import { reportFault } from '../async/thrown.js';
import type { ResolvedHttpOptions } from '../monitor/tracing-options.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { SINK_KEY, type SpanSink } from '../spans/live-span.js';
import { currentTracer, tracingRuntime } from '../spans/tracing-runtime.js';
import { SERVED_KEY, servedHere, servedRequest } from './active-request.js';
import { continuedContext, serverSpanIn, spansOfRequests } from './application-spans.js';
import { EMPTY_CONTEXT } from './flat-context.js';
import { type FastifyRequest, measureFramework, type Run, watchMounts } from './framework-requests.js';
import { ClientNames } from './graphql-operation.js';
import { ignoredPaths } from './ignored-paths.js';
import { isWrapped } from './late-instrumentation.js';
import { Mounts } from './mounts.js';
import type { OwnSpan } from './own-span.js';
import { type MeasuredRequest, REQUEST } from './request-listeners.js';
import { pathOf } from './request-route.js';
import { type RequestServer, ServedRequest } from './served-request.js';
import { addServerTiming, isFromInside } from './server-timing-header.js';

const W3C_FIELDS = new Set(['traceparent', 'tracestate', 'baggage']);
const SERVER = { kind: SpanKind.SERVER } as const;

/** The servers whose requests are measured, by any copy of this package. */
const measured = processWide('measured-servers', () => new WeakSet<object>());

/** Whether the requests of a server are measured, apart from ignored paths. */
export function isMeasuredServer(server: unknown): boolean {
  return typeof server === 'object' && server !== null && measured.has(server);
}

type Emit = (this: Server, event: string, ...args: unknown[]) => boolean;

/**
 * Measures the requests of an application's HTTP server, from the first parsed byte to the close of the response, and runs
 * each within its span.
 *
 * It replaces `emit` of the server instance: that needs no preload, works with any context manager, and affects no other
 * server of the process. Other servers of the same application (one for HTTP and one for HTTPS) are recognized by the
 * request listener that they share.
 */
export class HttpServerTracer implements RequestServer {
  readonly mounts = new Mounts();
  readonly operationNames = new ClientNames();
  private readonly frameworks: (() => void)[] = [];
  private readonly servers = new Map<Server, { replaced: Emit | undefined; replacement: Emit }>();
  private readonly known = new WeakSet<Server>();
  private main: Server | undefined;
  private readonly isIgnored: (path: string) => boolean;
  /** The propagators are among the default ones. */
  private hasW3cPropagators = true;
  /** Whether another tool creates the spans of requests; undefined until a request has shown it. */
  private isInstrumentedByOther: boolean | undefined;

  /**
   * @param http which requests are not measured: exact paths, all paths below one that ends in `/`, and patterns; and whose
   * responses say where their time went
   * @param hasOwnProvider whether this package has set the tracer provider, so that the context at the server is empty
   * @param trustsBaggage whether the baggage of requests is continued. Applies to the own provider
   */
  constructor(
    readonly sink: SpanSink,
    private readonly http: ResolvedHttpOptions,
    private readonly hasOwnProvider: boolean,
    private readonly trustsBaggage: boolean,
  ) {
    this.isIgnored = ignoredPaths(http.ignore);
  }

  /** Measures the requests of this server, and of those that share its listener. */
  attach(server: Server): void {
    this.main = server;
    this.hasW3cPropagators = propagation.fields().every((field) => W3C_FIELDS.has(field));
    this.wrap(server);
    subscribe('http.server.request.start', this.onRequestStart);
    subscribe('tracing:fastify.request.handler:start', onFastifyHandler);
  }

  /** Restores the servers. */
  detach(): void {
    unsubscribe('http.server.request.start', this.onRequestStart);
    unsubscribe('tracing:fastify.request.handler:start', onFastifyHandler);
    for (const [server, { replaced, replacement }] of this.servers) {
      server.off('request', onFirstListener);
      measured.delete(server);
      // Another tool may have wrapped the replacement, which then only passes events on.
      if (server.emit !== replacement) continue;
      if (replaced === undefined) Reflect.deleteProperty(server, 'emit');
      else server.emit = replaced;
    }
    this.servers.clear();
    this.main = undefined;
    for (const restore of this.frameworks.splice(0)) restore();
  }

  /**
   * Measures the requests that a framework receives without a server: Express from serverless adapters, Fastify from
   * `inject`.
   * @param instance the Express application or the Fastify instance
   */
  attachFramework(instance: unknown): void {
    this.frameworks.push(
      measureFramework(
        instance,
        (request, response) =>
          this.main === undefined ? undefined : this.beginWithoutServer(request, response),
        (request) => servedRequest(request)?.matched(request),
      ),
    );
  }

  private beginWithoutServer(request: IncomingMessage, response: ServerResponse): Run | undefined {
    if (servedRequest(request) !== undefined) return undefined;
    const active = this.begin(request, response, undefined);
    const served = servedRequest(request);
    if (active === undefined || served === undefined) return undefined;
    served.beganWithoutServer();
    return (work) => servedHere.run(served, () => context.with(active, work));
  }

  /**
   * Keeps where middleware is mounted by `use` from now on.
   * @param application an Express application, or another object with the method `use`
   */
  watchMounts(application: object): void {
    this.frameworks.push(watchMounts(application, (path) => this.mounts.add(path)));
  }

  onSpanOrigin(isOther: boolean): void {
    this.isInstrumentedByOther ||= isOther;
  }

  private readonly onRequestStart = (message: unknown): void => {
    const { server } = message as { server: Server };
    if (this.known.has(server)) return;
    this.known.add(server);
    const listeners = this.main?.listeners('request') ?? [];
    const shared = server.listeners('request').filter((listener) => listeners.includes(listener));
    // `onFirstListener` is on every measured server, whichever application it serves.
    if (shared.some((listener) => listener !== onFirstListener)) this.wrap(server);
  };

  private wrap(server: Server): void {
    if (this.servers.has(server)) return;
    this.known.add(server);
    const tracer = this;
    const replaced = Object.hasOwn(server, 'emit') ? (server.emit as Emit) : undefined;
    const replacement: Emit = function (this: Server, event, ...args) {
      // Other tools may replace the method of the prototype later.
      const emit = replaced ?? (Object.getPrototypeOf(this) as { emit: Emit }).emit;
      if (event !== 'request' || !tracer.servers.has(this))
        return Reflect.apply(emit, this, [event, ...args]);
      return tracer.serve(this, emit, args as [IncomingMessage, ServerResponse]);
    };
    server.prependListener('request', onFirstListener);
    server.emit = replacement;
    measured.add(server);
    this.servers.set(server, { replaced, replacement });
  }

  private serve(server: Server, emit: Emit, args: [IncomingMessage, ServerResponse]): boolean {
    const active = this.beginMeasured(args[0], args[1], emit);
    if (active === undefined) return Reflect.apply(emit, server, ['request', ...args]);
    const served = servedRequest(args[0]) as ServedRequest;
    // Another tool may replace the context.
    return this.hasOwnProvider
      ? context.with(active, emit, server, 'request', ...args)
      : servedHere.run(served, () => context.with(active, emit, server, 'request', ...args));
  }

  private beginMeasured(request: IncomingMessage, response: ServerResponse, emit: Emit): Context | undefined {
    const measured = meter.enter(COST.requestStart);
    try {
      return this.begin(request, response, emit);
    } finally {
      meter.leave(COST.requestStart, measured);
    }
  }

  /** The context in which to serve the request, or undefined if it is not measured. */
  private begin(
    request: IncomingMessage,
    response: ServerResponse,
    emit: Emit | undefined,
  ): Context | undefined {
    try {
      const path = pathOf(request.url ?? '/');
      // Read here, where nearly all requests have one shape: in a function that others call, it takes ten times as long.
      if (this.isIgnored(path) || (request as MeasuredRequest)[REQUEST] !== undefined) return undefined;
      const served = new ServedRequest(request, response, this);
      this.addTiming(request, response, served);
      const around = context.active();
      const outer = serverSpanIn(around);
      if (outer !== undefined) {
        served.adopt(outer);
        return this.mark(around).setValue(SERVED_KEY, served);
      }
      const parent = this.mark(this.parentOf(request, around));
      if (emit !== undefined && this.isLeftToOther(emit)) {
        served.leaveToOther(trace.getSpan(parent));
        return parent.setValue(SERVED_KEY, served);
      }
      const attributes = {
        'http.request.method': request.method ?? 'HTTP',
        'url.path': path,
        'url.scheme': 'encrypted' in (request.socket ?? {}) ? 'https' : 'http',
      };
      // A sampler of the application may read the attributes. Ours does not, and setting them later is cheaper.
      const options = this.hasOwnProvider ? SERVER : { kind: SpanKind.SERVER, attributes };
      const span = currentTracer().startSpan(request.method ?? 'HTTP', options, parent);
      if (this.hasOwnProvider) setFirst(span, attributes, 3);
      else spansOfRequests.add(span);
      served.begin(span);
      const within = trace.setSpan(parent, span);
      // Spans of the application's own provider may be none of which this package knows the request.
      return this.hasOwnProvider ? within : within.setValue(SERVED_KEY, served);
    } catch (error) {
      report(error);
      return undefined;
    }
  }

  private addTiming(request: IncomingMessage, response: ServerResponse, served: ServedRequest): void {
    const { serverTiming } = this.http;
    if (serverTiming === 'off' || (serverTiming === 'internal' && !isFromInside(request))) return;
    addServerTiming(response, () => served.runningSpan());
  }

  /**
   * Whether another tool creates the span of the request. If the method of the server has been replaced, the first request
   * shows whether that does.
   */
  private isLeftToOther(emit: Emit): boolean {
    if (this.isInstrumentedByOther === true || isWrapped(emit)) return true;
    return (
      !this.hasOwnProvider && this.isInstrumentedByOther === undefined && emit !== EventEmitter.prototype.emit
    );
  }

  /** Sets the sink of the trace in the context, unless it is the default one. */
  private mark(parent: Context): Context {
    return this.sink === tracingRuntime.monitor?.sink ? parent : parent.setValue(SINK_KEY, this.sink);
  }

  private parentOf(request: IncomingMessage, active: Context): Context {
    const { headers } = request;
    if (!this.hasOwnProvider) return continuedContext(active, propagation.extract(active, headers));
    // Without the headers of the default propagators there is nothing to extract.
    const hasBaggage = this.trustsBaggage && headers['baggage'] !== undefined;
    if (this.hasW3cPropagators && headers.traceparent === undefined && !hasBaggage) return EMPTY_CONTEXT;
    const extracted = propagation.extract(EMPTY_CONTEXT, headers);
    return this.trustsBaggage ? extracted : propagation.deleteBaggage(extracted);
  }
}

/** Fastify publishes the route before guards and pipes run. */
function onFastifyHandler(message: unknown): void {
  const { request, route } = message as { request?: FastifyRequest; route?: { url?: string } };
  const served = servedRequest(request);
  if (served === undefined) {
    if (request?.raw !== undefined) tracingRuntime.monitor?.sink.recorder?.unmeasured?.(request.raw);
    return;
  }
  served.reachedFramework();
  if (route?.url !== undefined) served.routed(route.url, request);
}

/** The first listener of each request: whatever creates its span at the server has done so. */
function onFirstListener(request: IncomingMessage): void {
  try {
    servedRequest(request)?.reachedFirstListener();
  } catch (error) {
    report(error);
  }
}

/** With span limits, the own provider creates spans of the SDK. The class of the others is loaded with that provider. */
function setFirst(span: Span, attributes: Attributes, count: number): void {
  if ('takeFirst' in span) (span as OwnSpan).takeFirst(attributes, count);
  else span.setAttributes(attributes);
}

function report(error: unknown): void {
  reportFault('measuring a request failed', error);
}
