import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { UsageError } from './options.js';
import { connectionFault, EndpointFault, refusedFault, TOKEN_VARIABLE } from './profile/endpoint-fault.js';

/** How long an endpoint may say nothing, beyond what it was asked to wait for. */
export const PATIENCE_SECONDS = 60;
/** Of an answer that says what is wrong; errors of proxies may be pages. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** The token for the endpoint, where there is one. @throws UsageError for one that can't be sent */
export function tokenOfEnvironment(): string | undefined {
  const token = process.env[TOKEN_VARIABLE];
  // Not shown: it may be the right one but for a line break.
  if (token !== undefined && !/^[\x21-\x7e]*$/.test(token))
    throw new UsageError(
      `${TOKEN_VARIABLE} holds spaces, line breaks or letters that are not ASCII: give the token alone`,
    );
  return token === '' ? undefined : token;
}

/**
 * Asks an endpoint. Not by `fetch`, which gives up on an answer after 300 seconds. Follows no redirect: the token is not
 * for others. Rejects with {@link EndpointFault}.
 */
export function askEndpoint(
  method: string,
  url: URL,
  token: string | undefined,
  patience = PATIENCE_SECONDS,
): Promise<IncomingMessage> {
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const headers = {
      'content-length': 0,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    // A connection of its own, which ends with the answer.
    const asked = request(url, { method, headers, agent: false, timeout: patience * 1000 }, resolve);
    asked.on('timeout', () =>
      asked.destroy(new EndpointFault(`the application said nothing for ${patience} s`)),
    );
    asked.on('error', (error) => reject(connectionFault(error)));
    asked.end();
  });
}

/** The answer, where it is one. Rejects with {@link EndpointFault} that says what was said instead. */
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

/** All of an answer; nothing where it is longer. Rejects with {@link EndpointFault} where it breaks off. */
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

/** What Nest says in the body of an error. */
function messageIn(text: string): string | undefined {
  const { message } = objectIn(text);
  return typeof message === 'string' && message !== '' ? message : undefined;
}

/** What a text of JSON holds, where that is an object. */
export function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
