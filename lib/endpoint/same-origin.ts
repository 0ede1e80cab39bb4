import { ForbiddenException } from '@nestjs/common';
import { show } from '../options/options-error.js';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Keeps a page that a developer looks at from reading what the application on their machine tells, and from having a
 * capture begun: their browser comes from the loopback interface.
 * @throws ForbiddenException for a request that a browser sends for a page of another origin
 */
export function refuseOtherOrigins(headers: Headers): void {
  const { origin, host = headers[':authority'] } = headers;
  if (headers['sec-fetch-site'] !== 'cross-site' && (origin === undefined || isOf(origin, host))) return;
  throw new ForbiddenException(
    `A page of ${origin === undefined ? 'another site' : show(origin)} may not see or do this: let the request come from a page of this host, or from no browser`,
  );
}

/** `null` stands for an origin that a browser hides, and is nobody's. */
function isOf(origin: string | string[], host: string | string[] | undefined): boolean {
  const text = String(origin);
  return URL.canParse(text) && new URL(text).host === host;
}
