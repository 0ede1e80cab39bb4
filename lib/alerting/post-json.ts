// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { context } from '@opentelemetry/api';
import { UNTRACED } from '../async/untraced.js';

/** How an attempt ended. */
export interface PostResult {
  /** Why it failed, without what may be secret; absent when it was taken. */
  readonly failure?: string;
  /** Whether another attempt could do better. */
  readonly retry: boolean;
  /** How long the server asks to be left alone, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** A server cannot ask for more than that. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Posts JSON. Follows no redirect: headers are for that server alone. Never rejects, never traced: neither a span nor a
 * header of the application's leaves with it.
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
  const abort = (): void => sending.abort('there was no more time');
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
    return { failure: `it answered ${status}`, retry, retryAfterMs };
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

/** What `Retry-After` says, in milliseconds: it is a number of seconds, or a date (RFC 9110, 10.2.3). */
export function afterMs(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}

/** Names that differ in case alone would be sent as one header with both values; the later one counts. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
