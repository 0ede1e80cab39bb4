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

/** The controller of the login below this path, which is that of the endpoint, and checked there. */
export function createLoginController(path: string): Type {
  @Controller(path)
  @UseGuards(EndpointGuard)
  class LoginController {
    constructor(@Inject(EndpointAccess) private readonly access: EndpointAccess) {}

    /** Takes the token as any route does, and begins a session: a browser can give no header with a stream. */
    @Post('login')
    async login(request: EndpointRequest, response: AnyResponse): Promise<Answer> {
      const { sessions } = this.access;
      if (sessions === undefined)
        throw new NotFoundException('There is nothing to log in with: the option endpoint.token is not set');
      // A session begins no other one, or it would never end.
      if (!this.access.bearsToken(request))
        throw new ForbiddenException('Give the token as Authorization: Bearer TOKEN');
      rawOf(response).appendHeader(
        'Set-Cookie',
        // Without a path it is that of the endpoint as the browser sees it, whatever a proxy makes of it.
        `${SESSION_COOKIE}=${await sessions.issue()}; Max-Age=${SESSION_MS / 1000}; HttpOnly; SameSite=Strict${isSecure(request) ? '; Secure' : ''}`,
      );
      return Answer.empty();
    }
  }
  return LoginController;
}

/** As the browser sees it, where that can be told: a proxy may have taken the encryption away. */
function isSecure({ headers, socket }: EndpointRequest): boolean {
  return (
    String(headers['origin']).startsWith('https:') ||
    String(headers['x-forwarded-proto']).startsWith('https') ||
    (socket !== undefined && 'encrypted' in socket)
  );
}
