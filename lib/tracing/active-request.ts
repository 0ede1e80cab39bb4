import { AsyncLocalStorage } from 'node:async_hooks';
import { context, createContextKey, trace } from '@opentelemetry/api';
import { liveSpanOf } from '../spans/live-span.js';
import { REQUEST } from './request-listeners.js';
import type { ServedRequest } from './served-request.js';

/** The request that is served in a context, where another tool creates its span. */
export const SERVED_KEY = createContextKey('nestjs-performance.request');

/** The measurement of a request, given the request of Node or of the framework. */
export function servedRequest(request: unknown): ServedRequest | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  const { raw = request } = request as { raw?: unknown };
  return (raw as { [REQUEST]?: ServedRequest })[REQUEST];
}

/** The request that is served, also where another tool has replaced OpenTelemetry's context. */
export const servedHere = new AsyncLocalStorage<ServedRequest>();

/** The request that is served now, if the handler runs in its context. */
export function activeRequest(): ServedRequest | undefined {
  const active = context.active();
  const request =
    liveSpanOf(trace.getSpan(active))?.root.http ?? active.getValue(SERVED_KEY) ?? servedHere.getStore();
  // By another build of this package, it is of another class.
  const { handlerStarted } = (request ?? {}) as Partial<ServedRequest>;
  return typeof handlerStarted === 'function' ? (request as ServedRequest) : undefined;
}
