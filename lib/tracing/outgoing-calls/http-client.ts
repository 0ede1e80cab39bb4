import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { errorMonitor } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { context, propagation, type Span, type Tracer, trace } from '@opentelemetry/api';
import { attempt } from '../../async/thrown.js';
import { own } from '../../validation/own.js';
import { watchContextManager } from '../api-globals.js';
import { setRemoteTiming } from '../work-tracking.js';
import {
  beginning,
  defaultPort,
  ending,
  type OutgoingRequest,
  requestTo,
  setFailure,
  setPeer,
  setResponseStatus,
  startCall,
} from './client-span.js';

/** On a function of this package: itself, and the one that it replaces. Wrappers of other tools may show it, too. */
const REPLACED = Symbol.for('nestjs-performance.replaced');

interface Method {
  (this: unknown, ...args: unknown[]): ClientRequest;
  readonly [REPLACED]?: { readonly by: Method; readonly original: Method };
}
type Module = Record<'request' | 'get', Method>;
/** What is read of the arguments of a request: of its URL, and of its options. */
type Given = Readonly<
  Partial<Record<'protocol' | 'hostname' | 'host' | 'port' | 'defaultPort' | 'path', unknown>>
>;

/** Node's own, unless another tool has replaced them before. */
const GETS = new Map<unknown, Method>(
  [http, https].map((module) => [module, replaced(module.get as Method)]),
);

const PROXIED = /^https?:/i;
/** The port in an address. */
const PORT = /^[a-z]+:\/\/(?:[^/?#]*@)?(?:\[[^\]]*\]|[^:/?#]*):(\d+)/i;

/** Published when the headers of a response have arrived, before anything listens to it. */
const RESPONSE = 'http.client.response.finish';

/** Sets a header of a request that has not sent any. */
const HEADERS = {
  set: (request: ClientRequest, name: string, value: string) => void request.setHeader(name, value),
};

/**
 * Creates a CLIENT span of each request by `node:http` and `node:https`, and adds the headers of the context. What the caller
 * gives and gets remains as it is: arguments, the events of the request and what listens to them.
 * @returns a function that ends it
 */
export function traceHttpClients(tracer: Tracer): () => void {
  const calls = new WeakMap<ClientRequest, Call>();
  const isWanted = watchContextManager();
  const onResponse = (message: unknown): void => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
    const call = calls.get(request);
    if (call !== undefined) ending(() => call.answered(response));
  };
  const follow = (request: ClientRequest, args: readonly unknown[]): void => {
    // What goes through a tunnel has a span of its own.
    if (request.method === 'CONNECT' || !isWanted()) return;
    const span = startCall(tracer, describe(request, args));
    if (span !== undefined) calls.set(request, new Call(request, span));
  };
  subscribe(RESPONSE, onResponse);
  const restores = [http, https].map((module) => wrap(module as unknown as Module, follow));
  // Named imports of them are copies.
  syncBuiltinESMExports();
  return () => {
    unsubscribe(RESPONSE, onResponse);
    for (const restore of restores) restore();
    syncBuiltinESMExports();
  };
}

function wrap(
  module: Module,
  follow: (request: ClientRequest, args: readonly unknown[]) => void,
): () => void {
  const { request: current, get: currentGet } = module;
  const original = replaced(current);
  const originalGet = replaced(currentGet);
  let isActive = true;
  const request = like(original, function (...args) {
    if (!isActive) return Reflect.apply(original, this, args);
    const waiting = attempt('reading the headers of an outgoing request failed', () => withoutExpect(args));
    const made = Reflect.apply(original, this, waiting?.args ?? args);
    beginning(() => follow(made, args));
    if (waiting !== undefined) sendExpect(made, waiting.expect);
    return made;
  });
  // Node's own calls the function that this one replaces, and ends the request before a header can be added.
  const isOfNode = originalGet === GETS.get(module);
  const get = like(originalGet, function (...args) {
    if (!isActive || !isOfNode) return Reflect.apply(originalGet, this, args);
    const made = Reflect.apply(request, this, args);
    made.end();
    return made;
  });
  Object.assign(module, { request, get });
  return () => {
    isActive = false;
    // Another tool may have wrapped it since.
    if (module.request === request) module.request = original;
    if (module.get === get) module.get = originalGet;
  };
}

interface Waiting {
  readonly args: readonly unknown[];
  readonly expect: string;
}

/**
 * Node sends the headers of a request that waits for leave to send its body at once, when none can be added any more: `Expect`
 * is left out, and added last. Undefined for all other requests.
 */
function withoutExpect(args: readonly unknown[]): Waiting | undefined {
  const at = args.findIndex((arg) => typeof arg === 'object' && arg !== null && 'headers' in arg);
  const { headers } = (args[at] ?? {}) as { headers?: unknown };
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return undefined;
  const name = Object.keys(headers).find((key) => key.toLowerCase() === 'expect');
  if (name === undefined) return undefined;
  const others: Record<string, unknown> = { ...headers };
  const expect = own(others, name);
  Reflect.deleteProperty(others, name);
  return { args: args.with(at, { ...(args[at] as object), headers: others }), expect: String(expect) };
}

function sendExpect(request: ClientRequest, expect: string): void {
  request.setHeader('Expect', expect);
  request.flushHeaders();
}

/** The function in place of which there is one of this package, as an application that was never closed leaves one behind. */
function replaced(current: Method): Method {
  const mark = current[REPLACED];
  return mark?.by === current ? mark.original : current;
}

/** A function in place of another, which looks the same. */
function like(original: Method, replacement: Method): Method {
  const { name, length } = original;
  return Object.defineProperties(replacement, {
    name: { value: name, configurable: true },
    length: { value: length, configurable: true },
    [REPLACED]: { value: { by: replacement, original } },
  });
}

function describe(request: ClientRequest, args: readonly unknown[]): OutgoingRequest {
  const { method, path, protocol, host } = completed(request, args);
  // A proxy gets the whole address.
  if (PROXIED.test(path)) return requestTo(method, new URL(path));
  const ofProtocol = defaultPort(protocol);
  const port = portOf(args) ?? ofProtocol;
  const authority = host.includes(':') ? `[${host}]` : host;
  const shown = port === ofProtocol ? '' : `:${port}`;
  return { method, url: `${protocol}//${authority}${shown}${path}`, host, port };
}

/** The port that a caller of `request(url, options)` or `request(options)` asks for; undefined for the default. */
function portOf([first, second]: readonly unknown[]): number | undefined {
  const options = (typeof second === 'object' ? second : undefined) as Given | null | undefined;
  const url = typeof first === 'string' ? PORT.exec(first)?.[1] : (first as Given | undefined)?.port;
  const port = Number(options?.port || url || (first as Given | undefined)?.defaultPort);
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

type Addressed = Pick<ClientRequest, 'method' | 'path' | 'protocol' | 'host'>;

/** Libraries that mock requests leave out some of it: it is then read from the arguments. */
function completed(request: Partial<Addressed>, [first, second]: readonly unknown[]): Addressed {
  const { method = 'GET', path, protocol, host } = request;
  if (path !== undefined && protocol !== undefined && host !== undefined)
    return { method, path, protocol, host };
  const url = (typeof first === 'string' ? new URL(first) : (first ?? {})) as Given | URL;
  const given: Given = { ...(url as Given), ...(second as Given | undefined) };
  const isUrl = url instanceof URL;
  return {
    method,
    path: path ?? String(given.path ?? (isUrl ? `${url.pathname}${url.search}` : '/')),
    protocol: protocol ?? String(given.protocol ?? (isUrl ? url.protocol : 'http:')),
    host: host ?? String(given.hostname ?? given.host ?? (isUrl ? url.hostname : 'localhost')),
  };
}

/** A request that is under way. */
class Call {
  private response: IncomingMessage | undefined;
  private isEnded = false;

  constructor(
    request: ClientRequest,
    private readonly span: Span,
  ) {
    if (!request.headersSent) propagation.inject(trace.setSpan(context.active(), span), request, HEADERS);
    request.once(errorMonitor, (error) => this.failed(error));
    request.once('close', () => this.closed(request));
  }

  answered(response: IncomingMessage): void {
    const { span } = this;
    this.response = response;
    setPeer(span, response.socket, response.httpVersion);
    setResponseStatus(span, response.statusCode ?? 0);
    const timing = response.headers['server-timing'];
    if (timing !== undefined) setRemoteTiming(span, String(timing));
    response.once('end', () => this.end());
  }

  private failed(error: unknown): void {
    this.end((span) => setFailure(span, error));
  }

  /** Whatever has become of it: a response whose reading ended early, an upgrade, or none. */
  private closed(request: ClientRequest): void {
    if (this.isEnded) return;
    const { response } = this;
    const error = response?.errored;
    if (error !== undefined && error !== null) this.failed(error);
    // Libraries that mock requests do not publish their responses.
    const mocked = (request as { res?: IncomingMessage }).res;
    const status = response === undefined ? mocked?.statusCode : undefined;
    this.end((span) => {
      if (status !== undefined) setResponseStatus(span, status);
    });
  }

  private end(complete?: (span: Span) => void): void {
    if (this.isEnded) return;
    this.isEnded = true;
    const { span } = this;
    if (complete !== undefined) ending(() => complete(span));
    ending(() => span.end());
  }
}
