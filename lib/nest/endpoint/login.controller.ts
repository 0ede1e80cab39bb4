import {
  Controller,
  ForbiddenException,
  Inject,
  NotFoundException,
  Post,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { Answer } from './answer.js';
import { EndpointGuard } from './endpoint.guard.js';
import { EndpointAccess, type EndpointRequest } from './endpoint-access.js';
import { type AnyResponse, rawOf } from './framework-response.js';
import { SESSION_COOKIE, SESSION_MS } from './session.js';

/** The controller of the login. @param path the path of the endpoint, already validated */
export function createLoginController(path: string): Type {
  @Controller(path)
  @UseGuards(EndpointGuard)
  class LoginController {
    constructor(@Inject(EndpointAccess) private readonly access: EndpointAccess) {}

    /** Exchanges the token for a session cookie, as browsers cannot send headers with an event stream. */
    @Post('login')
    async login(request: EndpointRequest, response: AnyResponse): Promise<Answer> {
      const { sessions } = this.access;
      if (sessions === undefined)
        throw new NotFoundException('Login is disabled: the option endpoint.token is not set');
      // A session must not extend itself, or it would never expire.
      if (!this.access.bearsToken(request))
        throw new ForbiddenException('Missing token: send Authorization: Bearer TOKEN');
      rawOf(response).appendHeader(
        'Set-Cookie',
        // Without a Path attribute it applies to the endpoint as the browser sees it, behind any proxy.
        `${SESSION_COOKIE}=${await sessions.issue()}; Max-Age=${SESSION_MS / 1000}; HttpOnly; SameSite=Strict${isSecure(request) ? '; Secure' : ''}`,
      );
      return Answer.empty();
    }
  }
  return LoginController;
}

/** Whether the browser uses HTTPS. A proxy may have terminated it. */
function isSecure({ headers, socket }: EndpointRequest): boolean {
  return (
    String(headers['origin']).startsWith('https:') ||
    String(headers['x-forwarded-proto']).startsWith('https') ||
    (socket !== undefined && 'encrypted' in socket)
  );
}
