import {
  type CanActivate,
  type ExecutionContext,
  HttpException,
  HttpStatus,
  Inject,
  Injectable,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { EndpointAccess } from './endpoint-access.js';
import type { EndpointRequest } from './endpoint-request.js';
import { type AnyResponse, rawOf } from './framework-response.js';
import { refuseOtherOrigins } from './same-origin.js';

/**
 * Marks routes with special access. `page`: contains no data of the application, so that a browser can load it to show the
 * login. `stream`: has its own limit instead of the rate limit. `action`: starts or resets something, and requires a token
 * or a session even of callers on this machine.
 */
export const RouteKind = Reflector.createDecorator<'page' | 'stream' | 'action'>();

/**
 * Protects every route of the endpoint: prevents caching and content sniffing, rejects cross-origin requests, and
 * authorizes by {@link EndpointAccess}.
 */
@Injectable()
export class EndpointGuard implements CanActivate {
  constructor(
    @Inject(EndpointAccess) private readonly access: EndpointAccess,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const http = execution.switchToHttp();
    const request = http.getRequest<EndpointRequest>();
    const response = rawOf(http.getResponse<AnyResponse>());
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    try {
      await this.access.passGlobalGuards(execution);
      await this.admit(execution, request);
    } catch (error) {
      if (error instanceof HttpException && error.getStatus() === HttpStatus.TOO_MANY_REQUESTS)
        response.setHeader('Retry-After', '1');
      throw error;
    }
    return true;
  }

  private async admit(execution: ExecutionContext, request: EndpointRequest): Promise<void> {
    const kind = this.reflector.get(RouteKind, execution.getHandler());
    if (kind === 'page') return this.access.admitToPage(execution, request);
    refuseOtherOrigins(request);
    const authority = await this.access.admit(execution, request);
    if (kind === 'action') await this.access.requireSession(authority, request);
    if (kind !== 'stream') this.access.meter();
  }
}
