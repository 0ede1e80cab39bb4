import { ForbiddenException } from '@nestjs/common';
import { formatValue } from '../../validation/options-error.js';
import type { EndpointRequest } from './endpoint-request.js';

/**
 * Rejects requests that a browser sends for a page of another origin, as the browser may have access by its address or
 * its cookies. Following a link to the page is allowed. Clients that are not browsers send none of these headers.
 * @throws ForbiddenException for a cross-origin request
 */
export function refuseOtherOrigins(request: EndpointRequest): void {
  const { origin, referer } = request.headers;
  const site = request.headers['sec-fetch-site'];
  // The browser's own comparison takes precedence: a proxy may have changed the host.
  if (site === 'same-origin' || isFollowedLink(request)) return;
  const reads = request.method === 'GET' || request.method === 'HEAD';
  // Entered in the address bar or by the browser itself, which can only read.
  const isSameSite = site === undefined || (site === 'none' && reads);
  // Browsers without `Sec-Fetch-Site` may send the page's address only.
  const page = origin ?? (reads ? undefined : referer);
  if (isSameSite && (page === undefined || isOf(page, request))) return;
  throw new ForbiddenException(
    `Cross-origin request rejected: received the origin ${origin === undefined ? 'of another site' : formatValue(origin)}, expected a page of this host or a client that is not a browser`,
  );
}

/** A navigation of the whole window, whose response the linking page cannot read. Frames are excluded. */
function isFollowedLink({ method, headers }: EndpointRequest): boolean {
  return (
    method === 'GET' &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document' &&
    headers['origin'] === undefined
  );
}

/** False for `null`, which browsers send to hide the origin. */
function isOf(page: string | string[], { headers }: EndpointRequest): boolean {
  const url = URL.canParse(String(page)) ? new URL(String(page)) : undefined;
  // Parsed with the scheme of the page, as its default port is omitted.
  const own = `${url?.protocol}//${String(headers[':authority'] ?? headers['host'])}`;
  return url !== undefined && URL.canParse(own) && new URL(own).host === url.host;
}
