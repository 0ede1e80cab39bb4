import { randomBytes } from 'node:crypto';
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SlowOperation } from '../../lib/explain/slow-operation';
import type { SeenSpan } from '../consumers/app/seen-spans';
import type { Application } from './consumer';

export interface Answer {
  status: number;
  body: unknown;
}

/** What the statistics say of an operation. */
export interface Counted {
  count: number;
  slowCount: number;
  errorCount: number;
}

interface SpanIds {
  traceId?: string;
  spanId?: string;
  parentSpanId?: string;
}

/** One of many requests at a time: what was sent, and who the application found itself to be. */
export interface Concurrent {
  sent: { id: string; traceId: string; spanId: string };
  got: { id: string; request: SpanIds; child: SpanIds };
}

/** All that was seen of an application under the same traffic. */
export interface Observed {
  answers: Record<string, Answer>;
  /** Of the traffic before {@link concurrent}, by `type name`. */
  counted: Record<string, Counted>;
  /** The operations counted until then. */
  total: number;
  slow: SlowOperation[];
  concurrent: Concurrent[];
  countedAfterConcurrent: Record<string, Counted>;
  /** What the application's own tracing saw until then, and how many requests it had served. */
  spans: SeenSpan[];
  served: number;
  output: string;
}

const PATHS = [
  '/users/1?verbose=1',
  '/denied',
  '/boom',
  '/nothing/here',
  '/calculation',
  '/slow',
  '/slow-span',
  '/report',
  '/outgoing/http',
  '/outgoing/https',
  '/outgoing/fetch',
] as const;

export const CONCURRENT_REQUESTS = 200;

/** The trace that the single requests continue. */
export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;

/**
 * Sends an application all its traffic, and asks it what it saw of it.
 * @param many whether to send it many requests at a time, too
 */
export async function observe(application: Application, many: boolean): Promise<Observed> {
  const { url } = application;
  const answers: Record<string, Answer> = {};
  for (const path of PATHS) answers[path] = await fetchJson(url + path, { traceparent: TRACEPARENT });
  await fetch(`${url}/hang`, { signal: AbortSignal.timeout(60) }).catch(() => {});
  const { counted, total, asked } = await statsWith(application, 'http GET /hang', 1);
  answers['/performance/stats'] = await fetchJson(`${url}/performance/stats`);
  answers['/performance/slow'] = await fetchJson(`${url}/performance/slow`);
  const served = PATHS.length + 1 + asked + 2;
  // A span ends when its response is closed, which may be a little after it was read.
  await sleep(50);
  const spans = (await fetchJson(`${url}/spans`)).body as SeenSpan[];
  const concurrent = many ? await manyAtATime(application) : [];
  const after = await statsWith(application, 'http GET /users/:id', concurrent.length + 1);
  return {
    answers,
    counted,
    total,
    slow:
      answers['/performance/slow'].status === 200
        ? (answers['/performance/slow'].body as SlowOperation[])
        : [],
    concurrent,
    countedAfterConcurrent: after.counted,
    spans,
    served,
    output: application.output(),
  };
}

/** The statistics, once this operation was counted so often; a response is counted shortly after it was read. */
async function statsWith(
  { url }: Application,
  key: string,
  count: number,
): Promise<{ counted: Record<string, Counted>; total: number; asked: number }> {
  for (let asked = 1; ; asked++) {
    const { status, body } = await fetchJson(`${url}/performance/stats`);
    if (status !== 200) return { counted: {}, total: 0, asked };
    const stats = body as {
      totalOperations: number;
      operations: ({ type: string; name: string } & Counted)[];
    };
    const counted = Object.fromEntries(
      stats.operations.map(({ type, name, count, slowCount, errorCount }) => [
        `${type} ${name}`,
        { count, slowCount, errorCount },
      ]),
    );
    if ((counted[key]?.count ?? 0) >= count || asked > 40)
      return { counted, total: stats.totalOperations, asked };
    await sleep(25);
  }
}

/** Sends many requests over few connections that are kept alive, each with a trace of its own to continue. */
async function manyAtATime({ url }: Application): Promise<Concurrent[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 25 });
  try {
    return await Promise.all(
      Array.from({ length: CONCURRENT_REQUESTS }, async (_, index) => {
        const sent = {
          id: String(index),
          traceId: randomBytes(16).toString('hex'),
          spanId: randomBytes(8).toString('hex'),
        };
        const traceparent = `00-${sent.traceId}-${sent.spanId}-01`;
        const got = (await getJson(`${url}/users/${sent.id}`, agent, { traceparent })) as Concurrent['got'];
        return { sent, got };
      }),
    );
  } finally {
    agent.destroy();
  }
}

function getJson(url: string, agent: Agent, headers: Record<string, string>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.once('end', () => resolve(JSON.parse(body)));
    }).once('error', reject);
  });
}

async function fetchJson(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, { headers });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, body: text };
  }
}
