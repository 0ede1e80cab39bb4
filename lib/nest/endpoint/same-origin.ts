import { ForbiddenException } from '@nestjs/common';
import { formatValue } from '../../validation/options-error.js';

/** What is looked at of a request of either framework. */
export interface OriginatedRequest {
  readonly method?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Keeps a page of another site from reading what the application tells, and from having something done: the browser
 * that it runs in may come from the loopback interface, or be known to the application. A link to here may be followed.
 * @throws ForbiddenException for a request that a browser sends for a page of another origin
 */
export function refuseOtherOrigins(request: OriginatedRequest): void {
  const { headers } = request;
  const { origin, host = headers[':authority'] } = headers;
  const site = headers['sec-fetch-site'];
  // The browser compares what it sees; a proxy may have given the request another host since.
  if (site === 'same-origin' || isFollowedLink(request)) return;
  if (site !== 'cross-site' && (origin === undefined || isOf(origin, host))) return;
  throw new ForbiddenException(
    `A page of ${origin === undefined ? 'another site' : formatValue(origin)} may not see or do this: let the request come from a page of this host, or from no browser`,
  );
}

/** Its answer fills the window, where the page that had the link cannot read it; a frame would be within that page. */
function isFollowedLink({ method, headers }: OriginatedRequest): boolean {
  return (
    method === 'GET' &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document' &&
    headers['origin'] === undefined
  );
}

/** `null` stands for an origin that a browser hides, and is nobody's. */
function isOf(origin: string | string[], host: string | string[] | undefined): boolean {
  const text = String(origin);
  return URL.canParse(text) && new URL(text).host === host;
}
