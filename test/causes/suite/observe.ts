import { setTimeout as sleep } from 'node:timers/promises';
import type { Case, FindingType } from './cases.js';
import { startApp, startBurner } from './processes.js';

/** What is read of a slow operation. */
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
/** What the library says after the requests of a case. */
export interface Observation {
  /** The slowest request of the case's, if one was slow. */
  readonly slow: Slow | undefined;
  readonly findings: readonly Finding[];
  /** How long the requests took for the client, the longest. */
  readonly clientMs: number;
}

/** Until what a request left behind is complete: the response's close, and what is worked out after it. */
const PATIENCE_MS = 1500;
const SETTLE_MS = 250;

/** Makes the requests of a case, and reads what is said of them. */
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
  if (reset) await send(url, 'DELETE', '/performance/stats');
  const burner = one.burner === true ? startBurner() : undefined;
  try {
    for (const companion of one.before ?? []) await send(url, 'POST', `/companions/${companion}`);
    const [method, path] = one.beside?.split(' ') ?? [];
    const beside = path === undefined ? undefined : send(url, method ?? 'GET', path);
    // What goes on beside is to be there first.
    if (beside !== undefined) await sleep(15);
    const clientMs = await sendAll(url, one);
    await beside;
    return clientMs;
  } finally {
    await burner?.stop();
  }
}

/** The requests, at most `atOnce` at a time. */
async function sendAll(
  url: string,
  { method, name, requests = 1, atOnce = 1, query }: Case,
): Promise<number> {
  let [next, longest] = [0, 0];
  const lane = async (): Promise<void> => {
    while (next < requests) {
      const n = next++;
      const start = performance.now();
      await send(url, method, `/${name}${query?.(n) ?? ''}`);
      longest = Math.max(longest, performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
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
  // A version of the library that has no findings yet.
  if (response.status === 404) return undefined;
  return (await response.json()) as T;
}

async function send(url: string, method: string, path: string): Promise<void> {
  const response = await fetch(url + path, { method });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
}
