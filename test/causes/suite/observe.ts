import { setTimeout as sleep } from 'node:timers/promises';
import type { Case, FindingType } from './case.js';
import { startApp, startBurner } from './processes.js';

/** The members of a slow operation that are read. */
export interface Slow {
  readonly name: string;
  readonly durationMs: number;
  readonly cause?: string;
  readonly causeShare?: number;
  readonly explanation?: string;
  readonly causes?: readonly { cause: string; share: number; ms: number; certainty?: unknown }[];
  readonly callSite?: { function?: string; file?: string; line?: number };
}
export interface Finding {
  readonly type: FindingType;
  readonly route?: string;
  readonly explanation?: string;
  readonly callSite?: { function?: string; file?: string; line?: number };
}
/** The results of the package after the requests of a case. */
export interface Observation {
  /** The slowest request of the case, if one was slow. */
  readonly slow: Slow | undefined;
  readonly findings: readonly Finding[];
  /** The longest duration of a request at the client. */
  readonly clientMs: number;
}

/** The delay until the results of a request are complete. */
const PATIENCE_MS = 1500;
const SETTLE_MS = 250;

/** Sends the requests of a case, and reads their results. */
export async function observe(url: string, parts: Record<string, string>, one: Case): Promise<Observation> {
  if (one.fresh !== true) return observeAt(url, one);
  const app = await startApp(parts);
  try {
    return await observeAt(app.url, one, false);
  } finally {
    await app.stop();
  }
}

/** Makes the requests of a case and reads nothing: compilers and caches take the first of them. */
export async function warmUp(url: string, one: Case): Promise<void> {
  if (one.fresh !== true) await provoke(url, one);
}

async function observeAt(url: string, one: Case, reset = true): Promise<Observation> {
  const clientMs = await provoke(url, one, reset);
  return { ...(await read(url, one)), clientMs };
}

/** @returns how long the requests took for the client, the longest */
async function provoke(url: string, one: Case, reset = true): Promise<number> {
  if (reset) await resetStats(url);
  const burner = one.burner === true ? startBurner() : undefined;
  try {
    for (const companion of one.before ?? []) await send(url, 'POST', `/companions/${companion}`);
    const [method, path] = one.beside?.split(' ') ?? [];
    const beside = path === undefined ? undefined : send(url, method ?? 'GET', path);
    // Concurrent work starts first.
    if (beside !== undefined) await sleep(15);
    const clientMs = await sendAll(url, one);
    await beside;
    return clientMs;
  } finally {
    await burner?.stop();
  }
}

/** Sends the requests, up to `concurrency` in parallel. */
async function sendAll(
  url: string,
  { method, name, requests = 1, concurrency = 1, query, body }: Case,
): Promise<number> {
  let [next, longest] = [0, 0];
  const lane = async (): Promise<void> => {
    while (next < requests) {
      const n = next++;
      const start = performance.now();
      const json = body && { 'content-type': 'application/json' };
      await send(url, method, `/${name}${query?.(n) ?? ''}`, json, body?.());
      longest = Math.max(longest, performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return longest;
}

async function read(url: string, one: Case): Promise<Omit<Observation, 'clientMs'>> {
  const end = performance.now() + PATIENCE_MS;
  await sleep(SETTLE_MS);
  for (;;) {
    const [all, findings] = await Promise.all([
      json<Slow[]>(url, '/performance/slow?type=http'),
      json<Finding[]>(url, '/performance/findings'),
    ]);
    const route = `${one.method} /${one.name.split('?')[0]}`;
    const slow = (all ?? [])
      .filter(({ name }) => name === route)
      .sort((a, b) => b.durationMs - a.durationMs)[0];
    const complete =
      one.kind === 'control' ||
      (slow?.cause !== undefined &&
        (one.site === undefined || slow.callSite !== undefined) &&
        (one.finding === undefined || findings?.some(({ type }) => type === one.finding) === true));
    if (complete || performance.now() > end) return { slow, findings: findings ?? [] };
    await sleep(100);
  }
}

async function json<T>(url: string, path: string): Promise<T | undefined> {
  const response = await fetch(url + path);
  // A version of the package without findings.
  if (response.status === 404) return undefined;
  return (await response.json()) as T;
}

/** With a session, which resets require. */
async function resetStats(url: string): Promise<void> {
  const { headers } = await fetch(`${url}/performance/session`, { method: 'POST' });
  await send(url, 'DELETE', '/performance/stats', { cookie: headers.get('set-cookie')?.split(';')[0] ?? '' });
}

async function send(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | ReadableStream,
): Promise<void> {
  const sent = body && { body, duplex: 'half' as const };
  const response = await fetch(url + path, { method, headers, ...sent });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
}
