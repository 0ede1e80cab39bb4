import {
  type Attributes,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
} from '@opentelemetry/api';
import { reportFault } from '../../async/thrown.js';
import type { CostPoint } from '../../overhead/cost-point.js';
import { COST } from '../../overhead/cost-points.js';
import { meter } from '../../overhead/meter.js';
import { setError } from '../query-span.js';

/** An outgoing HTTP request. */
export interface OutgoingRequest {
  /** In any case; the default of Node.js is GET. */
  readonly method: string | undefined;
  /** `url.full`, without credentials. */
  readonly url: string;
  readonly host: string;
  readonly port: number | undefined;
}

/** The connection that a request was sent on. */
interface Peer {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** The methods of the semantic conventions: others are `_OTHER`, so that their number is limited. */
const METHODS = new Set('GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT QUERY'.split(' '));

const DEFAULT_PORTS = new Map([
  ['http:', 80],
  ['https:', 443],
]);

/** The port of a protocol, `http:` or `https:`; undefined for another one. */
export function defaultPort(protocol: string): number | undefined {
  return DEFAULT_PORTS.get(protocol);
}

/** A request to an address, without the credentials in it. */
export function requestTo(method: string | undefined, url: URL): OutgoingRequest {
  url.username = url.password = '';
  const { protocol, hostname, port, href } = url;
  const host = hostname.replace(/^\[|\]$/g, '');
  return { method, url: href, host, port: port === '' ? defaultPort(protocol) : Number(port) };
}

/**
 * Starts the CLIENT span of an outgoing request in the active context, with the attributes of the semantic conventions for
 * HTTP. Undefined where tracing is suppressed, as around the requests of exporters.
 */
export function startCall(
  tracer: Tracer,
  { method = 'GET', url, host, port }: OutgoingRequest,
): Span | undefined {
  const upper = method.toUpperCase();
  const isKnown = METHODS.has(upper);
  const attributes: Attributes = {
    'http.request.method': isKnown ? upper : '_OTHER',
    'url.full': url,
    'server.address': host,
  };
  if (upper !== method || !isKnown) attributes['http.request.method_original'] = method;
  if (port !== undefined) attributes['server.port'] = port;
  const span = tracer.startSpan(
    isKnown ? upper : 'HTTP',
    { kind: SpanKind.CLIENT, attributes },
    context.active(),
  );
  return span.isRecording() ? span : undefined;
}

/** Sets who answers. */
export function setPeer(span: Span, { remoteAddress, remotePort }: Peer, version: string): void {
  if (remoteAddress !== undefined) span.setAttribute('network.peer.address', remoteAddress);
  if (remotePort !== undefined) span.setAttribute('network.peer.port', remotePort);
  span.setAttribute('network.protocol.version', version);
}

/** Sets the status of the response: for a client, one from 400 on is an error. */
export function setResponseStatus(span: Span, status: number): void {
  span.setAttribute('http.response.status_code', status);
  if (status < 400) return;
  span.setAttribute('error.type', String(status));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Marks a request as failed, without a complete response. One that its caller cancels has not failed. */
export function setFailure(span: Span, error: unknown): void {
  // Errors of other contexts of V8 are no instances of this one's class.
  const given = typeof error === 'object' && error !== null ? (error as Partial<Error>) : {};
  if (isCancelled(given)) return;
  setError(span, error);
  if (given.name !== undefined) span.recordException(given as Error);
}

/** Whether the caller of a request aborted it, other than by a time limit. */
function isCancelled({ name, cause }: Partial<Error>): boolean {
  return name === 'AbortError' && (cause as Partial<Error> | null | undefined)?.name !== 'TimeoutError';
}

/** Runs what begins the measurement of a request. Never throws. */
export function beginning(work: () => void): void {
  guarded(COST.callStart, work);
}

/** Runs what reads the outcome of a request, or ends its measurement. Never throws. */
export function ending(work: () => void): void {
  guarded(COST.callEnd, work);
}

function guarded(point: CostPoint, work: () => void): void {
  const measured = meter.enter(point);
  try {
    work();
  } catch (error) {
    reportFault('tracing an outgoing request failed', error);
  } finally {
    meter.leave(point, measured);
  }
}
