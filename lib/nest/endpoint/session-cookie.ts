import type { ServerResponse } from 'node:http';
import type { EndpointRequest } from './endpoint-request.js';
import { usesHttps } from './secure-client.js';
import { SESSION_COOKIE, SESSION_MS } from './session.js';

/**
 * Adds the cookie of a session to a response. Scripts cannot read it, and browsers send it with requests of the same site
 * only. Without a Path attribute it applies to the endpoint as the browser sees it, behind any proxy.
 */
export function setSessionCookie(response: ServerResponse, value: string, request: EndpointRequest): void {
  const cookie = `${SESSION_COOKIE}=${value}; Max-Age=${SESSION_MS / 1000}; HttpOnly; SameSite=Strict${usesHttps(request) ? '; Secure' : ''}`;
  response.appendHeader('Set-Cookie', cookie);
}
