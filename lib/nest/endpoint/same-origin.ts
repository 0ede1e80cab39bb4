import { ForbiddenException } from '@nestjs/common';
import { formatValue } from '../../validation/options-error.js';

/** The part of a request that is checked, for both frameworks. */
export interface OriginatedRequest {
  readonly method?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Rejects requests that a browser sends for a page of another origin, as the browser may have access by its address or
 * its cookies. Following a link to the page is allowed.
 * @throws ForbiddenException for a cross-origin request
 */
export function refuseOtherOrigins(request: OriginatedRequest): void {
  const { headers } = request;
  const { origin, host = headers[':authority'] } = headers;
  const site = headers['sec-fetch-site'];
  // The browser's own comparison takes precedence: a proxy may have changed the host.
  if (site === 'same-origin' || isFollowedLink(request)) return;
  if (site !== 'cross-site' && (origin === undefined || isOf(origin, host))) return;
  throw new ForbiddenException(
    `Cross-origin request rejected: received the origin ${origin === undefined ? 'of another site' : formatValue(origin)}, expected a page of this host or a client that is not a browser`,
  );
}

/** A navigation of the whole window, whose response the linking page cannot read. Frames are excluded. */
function isFollowedLink({ method, headers }: OriginatedRequest): boolean {
  return (
    method === 'GET' &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document' &&
    headers['origin'] === undefined
  );
}

/** False for `null`, which browsers send to hide the origin. */
function isOf(origin: string | string[], host: string | string[] | undefined): boolean {
  const text = String(origin);
  return URL.canParse(text) && new URL(text).host === host;
}
