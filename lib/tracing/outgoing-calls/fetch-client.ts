import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { context, propagation, type Span, type Tracer, trace } from '@opentelemetry/api';
import { watchContextManager } from '../api-globals.js';
import { setRemoteTiming } from '../work-tracking.js';
import {
  beginning,
  ending,
  requestTo,
  setFailure,
  setPeer,
  setResponseStatus,
  startCall,
} from './client-span.js';

/** A request of undici: of `fetch`, and of the package. */
interface UndiciRequest {
  readonly method: string;
  readonly path: string;
  readonly origin: string | URL;
  readonly addHeader?: (name: string, value: string) => unknown;
  /** Names and values alternate. Releases without `addHeader` have it. */
  readonly headers?: unknown;
}

interface Published {
  readonly request: UndiciRequest;
  readonly socket: { remoteAddress?: string; remotePort?: number; alpnProtocol?: string | false | null };
  readonly response: { readonly statusCode: number; readonly headers: readonly Buffer[] };
  readonly error: unknown;
}

const SERVER_TIMING = 'server-timing';

/** Sets a header, once: a gateway may pass on those that it has got. */
const HEADERS = {
  set(request: UndiciRequest, name: string, value: string): void {
    const { headers } = request;
    const at = Array.isArray(headers)
      ? headers.findIndex((key, index) => index % 2 === 0 && isNamed(key, name))
      : -1;
    if (at >= 0) (headers as unknown[])[at + 1] = value;
    else if (request.addHeader !== undefined) request.addHeader(name, value);
    else if (Array.isArray(headers)) headers.push(name, value);
  },
};

/**
 * Creates a CLIENT span of each request by `fetch` and by the package undici, from what they publish, and adds the headers of
 * the context.
 * @returns a function that ends it
 */
export function traceFetch(tracer: Tracer): () => void {
  const spans = new WeakMap<UndiciRequest, Span>();
  const isWanted = watchContextManager();
  const created = ({ request }: Published): void => {
    if (request.method === 'CONNECT' || !isWanted()) return;
    const span = startCall(tracer, requestTo(request.method, addressOf(request)));
    if (span === undefined) return;
    spans.set(request, span);
    propagation.inject(trace.setSpan(context.active(), span), request, HEADERS);
  };
  const sent = (span: Span, { socket }: Published): void =>
    setPeer(span, socket, socket.alpnProtocol === 'h2' ? '2' : '1.1');
  const answered = (span: Span, { response: { statusCode, headers } }: Published): void => {
    setResponseStatus(span, statusCode);
    // A header may have several lines.
    const lines = headers.filter((_, at) => at % 2 === 1 && isNamed(headers[at - 1], SERVER_TIMING));
    if (lines.length > 0) setRemoteTiming(span, lines.join(', '));
  };
  const ended = (span: Span, { request }: Published): void => {
    spans.delete(request);
    span.end();
  };
  const failed = (span: Span, published: Published): void => {
    ending(() => setFailure(span, published.error));
    ended(span, published);
  };
  const of =
    (handle: (span: Span, published: Published) => void) =>
    (published: Published): void => {
      const span = spans.get(published.request);
      if (span !== undefined) ending(() => handle(span, published));
    };
  const handlers = Object.entries({
    'undici:request:create': (published) => beginning(() => created(published)),
    'undici:client:sendHeaders': of(sent),
    'undici:request:headers': of(answered),
    'undici:request:trailers': of(ended),
    'undici:request:error': of(failed),
  } satisfies Record<string, (published: Published) => void>) as [string, (published: unknown) => void][];
  for (const [channel, handle] of handlers) subscribe(channel, handle);
  return () => {
    for (const [channel, handle] of handlers) unsubscribe(channel, handle);
  };
}

/** A path may begin with two slashes, which would be a host. */
function addressOf({ path, origin }: UndiciRequest): URL {
  return path.startsWith('/') ? new URL(`${new URL(origin).origin}${path}`) : new URL(path, origin);
}

function isNamed(key: unknown, name: string): boolean {
  return String(key).toLowerCase() === name;
}
