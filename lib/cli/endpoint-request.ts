import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { UsageError } from './options.js';

/** Why a request to an endpoint failed, as a sentence for the user. */
export class EndpointFault extends Error {}

/** The environment variable with the token. On a command line other users of the machine could read it. */
export const TOKEN_VARIABLE = 'NESTJS_PERFORMANCE_TOKEN';

/** The timeout of a connection without data. For captures it is added to their duration. */
export const TIMEOUT_SECONDS = 60;
/** The limit for an error response, which may be the page of a proxy. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** The token for the endpoint, if set. @throws UsageError for characters that a header cannot contain */
export function tokenOfEnvironment(): string | undefined {
  const token = process.env[TOKEN_VARIABLE];
  // The value is not shown: it may be the right token with a line break.
  if (token !== undefined && !/^[\x21-\x7e]*$/.test(token))
    throw new UsageError(
      `Invalid ${TOKEN_VARIABLE}: received spaces, line breaks or non-ASCII characters, expected the token only`,
    );
  return token === '' ? undefined : token;
}

/** What a request is authorized by, if by anything. */
export interface Credentials {
  readonly token?: string | undefined;
  /** The cookie of a session, as `NAME=VALUE`. */
  readonly session?: string | undefined;
}

/** The body of a request, and the headers that belong to it. */
export interface RequestContent {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Sends a request to an endpoint. `fetch` would time out after 300 seconds. Redirects are not followed, so that the token
 * reaches no other server. Rejects with {@link EndpointFault}.
 */
export function askEndpoint(
  method: string,
  url: URL,
  { token, session }: Credentials,
  timeoutSeconds = TIMEOUT_SECONDS,
  { body, headers: own }: RequestContent = { body: '', headers: {} },
): Promise<IncomingMessage> {
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const headers = {
      ...own,
      'content-length': Buffer.byteLength(body),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(session !== undefined && { cookie: session }),
    };
    // A separate connection that ends with the response.
    const asked = request(url, { method, headers, agent: false, timeout: timeoutSeconds * 1000 }, resolve);
    asked.on('timeout', () =>
      asked.destroy(new EndpointFault(`the application did not respond within ${timeoutSeconds} s`)),
    );
    asked.on('error', (error) => reject(connectionFault(error)));
    asked.end(body);
  });
}

/** The response if it has the expected status. Rejects with {@link EndpointFault} with its message otherwise. */
export async function accepted(
  answer: IncomingMessage,
  status: number,
  hasToken: boolean,
): Promise<IncomingMessage> {
  const { statusCode = 0 } = answer;
  if (statusCode === status) return answer;
  const text = await textOf(answer, MAX_REFUSAL_BYTES).catch(() => undefined);
  throw refusedFault(statusCode, messageIn(text ?? ''), hasToken);
}

/** The body of a response; undefined above `maxBytes`. Rejects with {@link EndpointFault} if it is incomplete. */
export async function textOf(answer: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(answer)) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
  }
  return Buffer.concat(chunks).toString();
}

export async function* chunksOf(answer: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* answer as AsyncIterable<Buffer>;
  } catch (error) {
    throw connectionFault(error);
  }
}

/** The message of Nest's error response. */
function messageIn(text: string): string | undefined {
  const { message } = objectIn(text);
  return typeof message === 'string' && message !== '' ? message : undefined;
}

/** Parses a JSON object; empty for anything else. */
export function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The fault of an unexpected status. */
function refusedFault(status: number, message: string | undefined, hasToken: boolean): EndpointFault {
  const said = message === undefined ? '' : `: ${message}`;
  if (status === 401 || status === 403) return new EndpointFault(notAllowed(status, said, hasToken));
  // The message of the application is sufficient.
  if ([400, 409, 422].includes(status) && message !== undefined) return new EndpointFault(message);
  return new EndpointFault(`the application responded with ${status}${said}`);
}

function notAllowed(status: number, said: string, hasToken: boolean): string {
  const advice = hasToken
    ? `check that ${TOKEN_VARIABLE} is the application's endpoint.token`
    : `set the environment variable ${TOKEN_VARIABLE} to the application's endpoint.token`;
  return `access denied (${status}${said}): ${advice}`;
}

/** The fault of a failed connection. */
function connectionFault(error: unknown): EndpointFault {
  if (error instanceof EndpointFault) return error;
  // A host with several addresses has one error per address.
  const first: NodeJS.ErrnoException = error instanceof AggregateError ? error.errors[0] : error;
  const { code, message } = first;
  if (code === 'ECONNREFUSED')
    return new EndpointFault('connection refused: check that the application is running');
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return new EndpointFault('unknown host');
  if (code === 'ECONNRESET')
    return new EndpointFault('the connection was closed before the response was complete');
  return new EndpointFault(message === '' ? (code ?? 'the connection failed') : message);
}
