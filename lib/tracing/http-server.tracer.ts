import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Context, context, diag, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import type { SpanSink } from '../spans/live-span.js';
import { SINK_KEY } from '../spans/live-span.js';
import { currentTracer, tracingRuntime } from '../spans/tracing-runtime.js';
import { type IgnoredPaths, isIgnored } from './ignored-paths.js';
import { isWrapped } from './late-instrumentation.js';
import { ServedRequest, servedRequest } from './served-request.js';

const SERVER = { kind: SpanKind.SERVER } as const;

type Emit = (this: Server, event: string, ...args: unknown[]) => boolean;

/**
 * Measures the requests of an application's HTTP server, from the first byte parsed to the response's close, and
 * runs each within its span.
 *
 * It does so by the server's own `emit`, on the instance: that needs no preload, runs inside whatever context
 * manager the application has, and concerns no other server of the process. Other servers that serve the same
 * application (one for HTTP and one for HTTPS) are recognised by the listener that they share.
 */
export class HttpServerTracer {
  private readonly servers = new Map<Server, Emit | undefined>();
  private readonly known = new WeakSet<Server>();
  private main: Server | undefined;
  private foreign = false;

  constructor(
    private readonly sink: SpanSink,
    private readonly ignored: IgnoredPaths,
    /** Whether the tracer provider is ours, so that the context at the server is known to be empty. */
    private readonly ownProvider: boolean,
  ) {}

  /** Measures the requests of this server, and of those that share its listener. */
  attach(server: Server): void {
    this.main = server;
    this.wrap(server);
    subscribe('http.server.request.start', this.onRequestStart);
    subscribe('tracing:fastify.request.handler:start', onFastifyHandler);
  }

  /** Leaves the servers as they were. */
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

  private readonly onForeignSpan = (): void => {
    this.foreign = true;
  };

  private readonly onRequestStart = (message: unknown): void => {
    const { server } = message as { server: Server };
    if (this.known.has(server)) return;
    this.known.add(server);
    const listeners = this.main?.listeners('request') ?? [];
    const shared = server.listeners('request').filter((listener) => listeners.includes(listener));
    // Ours is on every server that is measured, whichever application it serves.
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

  /** The context in which to serve the request, or nothing where it is not measured. */
  private begin(request: IncomingMessage, response: ServerResponse): Context | undefined {
    try {
      const path = pathOf(request.url ?? '/');
      if (isIgnored(this.ignored, path) || servedRequest(request) !== undefined) return undefined;
      const served = new ServedRequest(request, response, this.sink, this.onForeignSpan);
      const parent = this.mark(this.parentOf(request));
      if (this.foreign || isInstrumented()) return parent;
      const attributes = {
        'http.request.method': request.method ?? 'HTTP',
        'url.path': path,
        'url.scheme': 'encrypted' in request.socket ? 'https' : 'http',
      };
      // A sampler of the application's may look at the attributes; ours does not, and setting them later is cheaper.
      const options = this.ownProvider ? SERVER : { kind: SpanKind.SERVER, attributes };
      const span = currentTracer().startSpan(request.method ?? 'HTTP', options, parent);
      if (this.ownProvider) span.setAttributes(attributes);
      served.begin(span);
      return trace.setSpan(parent, span);
    } catch (error) {
      report(error);
      return undefined;
    }
  }

  /** Says which monitor the trace belongs to, unless it is the one that it would belong to anyway. */
  private mark(parent: Context): Context {
    return this.sink === tracingRuntime.monitor?.sink ? parent : parent.setValue(SINK_KEY, this.sink);
  }

  private parentOf(request: IncomingMessage): Context {
    const { headers } = request;
    if (this.ownProvider) {
      // Ours are the W3C propagators: without their headers there is nothing to extract.
      if (headers.traceparent === undefined && headers['baggage'] === undefined) return ROOT_CONTEXT;
      return propagation.extract(ROOT_CONTEXT, headers);
    }
    return propagation.extract(context.active(), headers);
  }
}

/** Fastify tells which route it chose before guards and pipes run. */
function onFastifyHandler(message: unknown): void {
  const { request, route } = message as { request?: unknown; route?: { url?: string } };
  const served = servedRequest(request);
  if (served !== undefined && route?.url !== undefined) served.route = route.url;
}

/**
 * Another instrumentation begins its span in the root context, so nothing that is put into the context reaches it:
 * the first listener of the request is the first to find that span active.
 */
function adoptActiveSpan(request: IncomingMessage): void {
  try {
    servedRequest(request)?.adopt(trace.getActiveSpan());
  } catch (error) {
    report(error);
  }
}

/** Whether OpenTelemetry's HTTP instrumentation makes the SERVER spans. */
function isInstrumented(): boolean {
  return isWrapped(http.Server.prototype.emit);
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

function report(error: unknown): void {
  diag.error('nestjs-performance: a request could not be measured', error);
}
