import { Controller, ForbiddenException, Inject, NotFoundException, Post, type Type } from '@nestjs/common';
import { Answer } from './answer.js';
import { EndpointAccess } from './endpoint-access.js';
import type { EndpointRequest } from './endpoint-request.js';
import { type AnyResponse, rawOf } from './framework-response.js';
import { setSessionCookie } from './session-cookie.js';

/** The controller of the login. @param path the path of the endpoint, already validated */
export function createLoginController(path: string): Type {
  @Controller(path)
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
      setSessionCookie(rawOf(response), await sessions.issue(), request);
      return Answer.empty();
    }

    /** Begins a session for a caller on this machine outside production, as captures and resets require one. */
    @Post('session')
    async session(request: EndpointRequest, response: AnyResponse): Promise<Answer> {
      const session = await this.access.beginLocalSession(request);
      if (session === undefined)
        throw new NotFoundException('Sessions without a token are for callers on this machine only');
      setSessionCookie(rawOf(response), session, request);
      return Answer.empty();
    }
  }
  return LoginController;
}
