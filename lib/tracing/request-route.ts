import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyRequest } from './framework-requests.js';
import type { Mounts } from './mounts.js';

/** A request with the properties by which Express exposes its route. */
export interface RoutedRequest extends IncomingMessage {
  /** Where the answering middleware is mounted, and its route below that. */
  baseUrl?: string;
  route?: { path?: unknown };
  /** The address before a mount point was removed from `url`. */
  originalUrl?: string;
}

/** The template of the route that Express has chosen, with its mount point; undefined as long as there is none. */
export function expressRoute(
  { route, baseUrl }: RoutedRequest,
  mounts: Mounts,
  hasHandler: boolean,
): string | undefined {
  const path = route?.path;
  // A middleware with a wildcard leaves its own pattern on a request without a handler.
  if (typeof path !== 'string' || (!hasHandler && path.includes('*'))) return undefined;
  return baseUrl ? `${mounts.templateOf(baseUrl)}${path}` : path;
}

/** The path of Socket.IO, which takes its requests from the server before the framework does. */
const SOCKET_IO = '/socket.io';

/**
 * Where the middleware is mounted that has answered a request; undefined if nothing has, as for a 404.
 * @param matched the request of Fastify, where it chose a route
 */
export function middlewareRoute(
  request: RoutedRequest,
  { headersSent, statusCode }: ServerResponse,
  mounts: Mounts,
  matched: FastifyRequest | undefined,
): string | undefined {
  const path = pathOf(request.originalUrl ?? request.url ?? '/');
  const base = withoutEndSlash(request.baseUrl ?? mountedAt(path, pathOf(request.url ?? '/')));
  if (base === '') {
    const route = matched?.routeOptions?.url;
    if (typeof route === 'string') return route;
    if (!headersSent || statusCode >= 400) return undefined;
    return path.startsWith(`${SOCKET_IO}/`) ? SOCKET_IO : '/*';
  }
  const template = mounts.templateOf(base);
  return template.endsWith('/*') || withoutEndSlash(path) === base ? template : `${template}/*`;
}

/** The path of a request's address. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** What was removed from the start of a path; all of it where `/` is left. */
function mountedAt(path: string, rest: string): string {
  if (path === rest) return '';
  return path.endsWith(rest) ? path.slice(0, path.length - rest.length) : path;
}

function withoutEndSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
