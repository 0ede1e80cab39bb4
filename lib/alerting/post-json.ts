// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { context } from '@opentelemetry/api';
import { UNTRACED } from '../async/untraced.js';

/** The result of one attempt. */
export interface PostResult {
  /** Why it failed, without secrets; absent on success. */
  readonly failure?: string;
  /** Whether another attempt may succeed. */
  readonly retry: boolean;
  /** The pause that the server asks for. */
  readonly retryAfterMs?: number;
}

/** The longest pause that a server can ask for. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Posts JSON. Does not follow redirects, since headers may be secrets for that server only. Never rejects. Not traced: it
 * creates no span and sends no trace headers.
 */
export function postJson(
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
  given: AbortSignal,
): Promise<PostResult> {
  return context.with(UNTRACED, () => post(url, body, headers, timeoutMs, given));
}

async function post(
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
  given: AbortSignal,
): Promise<PostResult> {
  const sending = new AbortController();
  const abort = (): void => sending.abort('the shutdown aborted it');
  given.addEventListener('abort', abort);
  if (given.aborted) abort();
  const timer = setTimeout(() => sending.abort(`no answer within ${timeoutMs} ms`), timeoutMs).unref();
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...lowerCased(headers), 'content-type': 'application/json' },
      body,
      redirect: 'manual',
      signal: sending.signal,
    });
    await response.body?.cancel();
    if (response.ok) return { retry: false };
    const { status } = response;
    const retry = status === 408 || status === 429 || status >= 500;
    const retryAfterMs = retry ? afterMs(response.headers.get('retry-after'), Date.now()) : undefined;
    return { failure: `status ${status}`, retry, retryAfterMs };
  } catch (error) {
    if (sending.signal.aborted) return { failure: String(sending.signal.reason), retry: !given.aborted };
    // Messages of `fetch` repeat addresses and headers.
    const { name, cause } = Object(error) as { name?: unknown; cause?: { code?: unknown } };
    const failure = typeof cause?.code === 'string' ? cause.code : String(name ?? 'unknown error');
    return { failure, retry: true };
  } finally {
    clearTimeout(timer);
    given.removeEventListener('abort', abort);
  }
}

/** The value of `Retry-After` in milliseconds: it is a number of seconds or a date (RFC 9110, 10.2.3). */
export function afterMs(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}

/** Names that differ only in case would be sent as one header with both values. Here the later one wins. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/**
 * Splits a URL into an address and headers: `fetch` rejects a name and a password in a URL.
 * @param url a valid URL
 */
export function endpointOf(url: string): { url: URL; headers: Record<string, string> } {
  const endpoint = new URL(url);
  const { username, password } = endpoint;
  endpoint.username = '';
  endpoint.password = '';
  if (username === '' && password === '') return { url: endpoint, headers: {} };
  const credentials = `${decoded(username)}:${decoded(password)}`;
  return {
    url: endpoint,
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
  };
}

/** A `%` that is not part of an escape stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
