import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Inject,
  Injectable,
  NotFoundException,
} from '@nestjs/common';
import { servedRequest } from '../http/measured-request.js';
import type { EndpointOptions, ResolvedOptions } from '../options/options.js';
import { RESOLVED_OPTIONS } from '../options/tokens.js';
import { refuseOtherOrigins } from './same-origin.js';

interface IncomingRequest {
  headers: Record<string, string | string[] | undefined>;
  socket?: { remoteAddress?: string };
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;
/** What a browser calls this machine. Any other name may have been pointed here by a page that wants to look in. */
const LOCAL_HOST = /^(?:localhost|[\w-]+\.localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i;
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

/**
 * Decides who may see the endpoint: whoever `authorize` lets in or who has the token; without either, callers on the
 * loopback interface outside production, and nobody in production. A request that came through a proxy is not one
 * from the loopback interface, and neither is one for a host of another name.
 */
@Injectable()
export class EndpointGuard implements CanActivate {
  private readonly endpoint: EndpointOptions & { readonly enabled: boolean };
  private readonly enabled: boolean;
  private readonly production: boolean;

  constructor(@Inject(RESOLVED_OPTIONS) { enabled, endpoint, production }: ResolvedOptions) {
    this.enabled = enabled && endpoint.enabled;
    this.endpoint = endpoint;
    this.production = production;
  }

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const request = execution.switchToHttp().getRequest<IncomingRequest>();
    servedRequest(request)?.ignore();
    if (!this.enabled) throw new NotFoundException();
    if (await this.mayEnter(request)) return true;
    throw new ForbiddenException(
      'Not allowed to see /performance: see the options endpoint.token and endpoint.authorize',
    );
  }

  private async mayEnter(request: IncomingRequest): Promise<boolean> {
    const { token, authorize } = this.endpoint;
    if (token !== undefined && hasToken(request, token)) return true;
    if (authorize !== undefined) return (await authorize(request)) === true;
    if (token !== undefined || this.production) return false;
    if (LOOPBACK.test(request.socket?.remoteAddress ?? '')) refuseOtherOrigins(request.headers);
    return (
      LOOPBACK.test(request.socket?.remoteAddress ?? '') &&
      LOCAL_HOST.test(String(request.headers['host'] ?? 'localhost')) &&
      FORWARDED.every((header) => request.headers[header] === undefined)
    );
  }
}

/** Compares digests, so that neither the time it takes nor the length tells anything of the token. */
function hasToken({ headers }: IncomingRequest, token: string): boolean {
  const [scheme, given] = String(headers['authorization'] ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || given === undefined) return false;
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
