import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Context, context, diag, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { SINK_KEY, type SpanSink } from '../spans/live-span.js';
import { currentTracer, tracingRuntime } from '../spans/tracing-runtime.js';
import { isWrapped } from './late-instrumentation.js';
import { ServedRequest, servedRequest } from './served-request.js';

const SERVER = { kind: SpanKind.SERVER } as const;

type Emit = (this: Server, event: string, ...args: unknown[]) => boolean;

/**
 * Measures the requests of an application's HTTP server, from the first parsed byte to the close of the response, and runs
 * each within its span.
 *
 * It replaces `emit` of the server instance: that needs no preload, works with any context manager, and affects no other
 * server of the process. Other servers of the same application (one for HTTP and one for HTTPS) are recognized by the
 * request listener that they share.
 */
export class HttpServerTracer {
  private readonly servers = new Map<Server, Emit | undefined>();
  private readonly known = new WeakSet<Server>();
  private main: Server | undefined;
  private readonly isIgnored: (path: string) => boolean;
  /** The application's HTTP instrumentation creates the spans of requests. */
  private isInstrumentedByApplication = false;

  /**
   * @param ignore requests that are not measured: exact paths, all paths below one that ends in `/`, and patterns
   * @param hasOwnProvider whether this package has set the tracer provider, so that the context at the server is empty
   */
  constructor(
    private readonly sink: SpanSink,
    ignore: readonly (string | RegExp)[],
    private readonly hasOwnProvider: boolean,
  ) {
    this.isIgnored = pathFilter(ignore);
  }

  /** Measures the requests of this server, and of those that share its listener. */
  attach(server: Server): void {
    this.main = server;
    this.wrap(server);
    subscribe('http.server.request.start', this.onRequestStart);
    subscribe('tracing:fastify.request.handler:start', onFastifyHandler);
  }

  /** Restores the servers. */
  detach(): void {
    unsubscribe('http.server.request.start', this.onRequestStart);
    unsubscribe('tracing:fastify.request.handler:start', onFastifyHandler);
    for (const [server, emit] of this.servers) {
      server.off('request', adoptActiveSpan);
      if (emit === undefined) Reflect.deleteProperty(server, 'emit');
      else server.emit = emit;
    }
    this.servers.clear();
    this.main = undefined;
  }

  private readonly onApplicationSpan = (): void => {
    this.isInstrumentedByApplication = true;
  };

  private readonly onRequestStart = (message: unknown): void => {
    const { server } = message as { server: Server };
    if (this.known.has(server)) return;
    this.known.add(server);
    const listeners = this.main?.listeners('request') ?? [];
    const shared = server.listeners('request').filter((listener) => listeners.includes(listener));
    // `adoptActiveSpan` is on every measured server, whichever application it serves.
    if (shared.some((listener) => listener !== adoptActiveSpan)) this.wrap(server);
  };

  private wrap(server: Server): void {
    if (this.servers.has(server)) return;
    this.known.add(server);
    this.servers.set(server, Object.hasOwn(server, 'emit') ? (server.emit as Emit) : undefined);
    server.prependListener('request', adoptActiveSpan);
    const emit = server.emit as Emit;
    const tracer = this;
    server.emit = function (this: Server, event: string, ...args: unknown[]): boolean {
      if (event !== 'request') return Reflect.apply(emit, this, [event, ...args]);
      return tracer.serve(this, emit, args as [IncomingMessage, ServerResponse]);
    };
  }

  private serve(server: Server, emit: Emit, args: [IncomingMessage, ServerResponse]): boolean {
    const active = this.begin(args[0], args[1]);
    if (active === undefined) return Reflect.apply(emit, server, ['request', ...args]);
    return context.with(active, emit, server, 'request', ...args);
  }

  /** The context in which to serve the request, or undefined if it is not measured. */
  private begin(request: IncomingMessage, response: ServerResponse): Context | undefined {
    try {
      const path = pathOf(request.url ?? '/');
      if (this.isIgnored(path) || servedRequest(request) !== undefined) return undefined;
      const served = new ServedRequest(request, response, this.sink, this.onApplicationSpan);
      const parent = this.mark(this.parentOf(request));
      if (this.isInstrumentedByApplication || isInstrumented()) return parent;
      const attributes = {
        'http.request.method': request.method ?? 'HTTP',
        'url.path': path,
        'url.scheme': 'encrypted' in request.socket ? 'https' : 'http',
      };
      // A sampler of the application may read the attributes. Ours does not, and setting them later is cheaper.
      const options = this.hasOwnProvider ? SERVER : { kind: SpanKind.SERVER, attributes };
      const span = currentTracer().startSpan(request.method ?? 'HTTP', options, parent);
      if (this.hasOwnProvider) span.setAttributes(attributes);
      served.begin(span);
      return trace.setSpan(parent, span);
    } catch (error) {
      report(error);
      return undefined;
    }
  }

  /** Sets the sink of the trace in the context, unless it is the default one. */
  private mark(parent: Context): Context {
    return this.sink === tracingRuntime.monitor?.sink ? parent : parent.setValue(SINK_KEY, this.sink);
  }

  private parentOf(request: IncomingMessage): Context {
    const { headers } = request;
    if (this.hasOwnProvider) {
      // The own provider has the W3C propagators: without their headers there is nothing to extract.
      if (headers.traceparent === undefined && headers['baggage'] === undefined) return ROOT_CONTEXT;
      return propagation.extract(ROOT_CONTEXT, headers);
    }
    return propagation.extract(context.active(), headers);
  }
}

/** Fastify publishes the route before guards and pipes run. */
function onFastifyHandler(message: unknown): void {
  const { request, route } = message as { request?: unknown; route?: { url?: string } };
  const served = servedRequest(request);
  if (served !== undefined && route?.url !== undefined) served.route = route.url;
}

/**
 * The application's instrumentation starts its span in the root context, so no value of the context reaches it. The first
 * listener of the request finds that span active.
 */
function adoptActiveSpan(request: IncomingMessage): void {
  try {
    servedRequest(request)?.adopt(trace.getActiveSpan());
  } catch (error) {
    report(error);
  }
}

/** Whether OpenTelemetry's HTTP instrumentation creates the spans of requests. */
function isInstrumented(): boolean {
  return isWrapped(http.Server.prototype.emit);
}

function pathFilter(ignore: readonly (string | RegExp)[]): (path: string) => boolean {
  const paths = ignore.filter((item): item is string => typeof item === 'string');
  const exact = new Set(paths.filter((path) => path === '/' || !path.endsWith('/')));
  const prefixes = paths.filter((path) => path !== '/' && path.endsWith('/'));
  // A pattern with the flag g or y keeps its last index, and would match only every other time.
  const patterns = ignore
    .filter((item) => item instanceof RegExp)
    .map((pattern) => new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')));
  return (path) =>
    exact.has(path) ||
    prefixes.some((prefix) => path.startsWith(prefix)) ||
    patterns.some((pattern) => pattern.test(path));
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

function report(error: unknown): void {
  diag.error('nestjs-performance: measuring a request failed', error);
}
