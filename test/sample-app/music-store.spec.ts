import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Finding } from '../../lib/explain/finding.js';
import type { SlowOperation } from '../../lib/monitor/operation.js';
import type { PerformanceStats } from '../../lib/monitor/performance-stats.js';

const MAIN = join(__dirname, '../../sample-app/dist/main.js');

interface Store {
  process: ChildProcess;
  output(): string;
}

function open(env: Record<string, string>, ...args: string[]): Store {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, NODE_ENV: '', NO_COLOR: '1', ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => (output += text));
  return { process: child, output: () => output };
}

async function until<T>(ask: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
  const end = Date.now() + 40_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function close(store: Store): Promise<number | null> {
  if (store.process.exitCode !== null) return store.process.exitCode;
  const exited = once(store.process, 'exit');
  store.process.kill('SIGTERM');
  const [code] = (await exited) as [number | null];
  return code;
}

describe('the music store', () => {
  let store: Store;
  let url: string;
  beforeAll(async () => {
    store = open({ PORT: '0' }, '--quiet');
    url = await until(() => {
      if (store.process.exitCode !== null) throw new Error(store.output());
      return /open at (http:\S+)/.exec(store.output())?.[1];
    }, `an address in ${store.output()}`);
  }, 60_000);
  afterAll(async () => {
    expect(await close(store)).not.toBe(1);
  });

  const status = async (path: string, method = 'GET'): Promise<number> => {
    const response = await fetch(url + path, {
      method,
      ...(method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {}),
    });
    await response.arrayBuffer();
    return response.status;
  };
  const json = async <T>(path: string): Promise<T> => (await (await fetch(url + path)).json()) as T;
  const operation = async (name: string): Promise<PerformanceStats['operations'][number] | undefined> =>
    (await json<PerformanceStats>('/performance/stats?operations=500')).operations.find(
      (one) => one.name === name,
    );

  it('sees Postgres, though TypeORM loaded its driver long before the module started', async () => {
    const { drivers } = await json<PerformanceStats>('/performance/stats');
    expect(drivers).toContainEqual(
      expect.objectContaining({ driver: 'pg', seen: true, how: '@opentelemetry/instrumentation-pg' }),
    );
    await status('/albums?page=3');
    expect(await operation('SELECT album')).toMatchObject({ type: 'database', errorCount: 0 });
  });

  it('counts the queries of an N+1', async () => {
    await fetch(`${url}/performance/stats`, { method: 'DELETE' });
    expect(await status('/albums/with-tracks?page=1')).toBe(200);
    await until(async () => await operation('GET /albums/with-tracks'), 'the request');
    expect(await operation('SELECT track')).toMatchObject({ type: 'database', count: 50 });
    expect(await operation('CatalogService.withTracks')).toMatchObject({ type: 'internal', count: 1 });
  });

  it('finds that N+1, and the line that makes it', async () => {
    await status('/albums/with-tracks?page=2');
    const found = await until(
      async () => (await json<Finding[]>('/performance/findings?type=n_plus_one'))[0],
      'the finding',
    );
    expect(found).toMatchObject({
      route: 'GET /albums/with-tracks',
      repetitions: 50,
      callSite: { function: 'CatalogService.withTracks', file: 'sample-app/catalog/catalog.service.ts' },
    });
    expect(found.explanation).toMatch(
      /50 sequential copies of SELECT track WHERE .* \(catalog\.service\.ts:\d+\)/,
    );
  });

  it('catches what blocks the event loop, and whose it is', async () => {
    // The watchdog lets an application settle for a second, and its thread has to start.
    const found = await until(async () => {
      await status('/checkout', 'POST');
      const blocks = await json<Finding[]>('/performance/findings?type=event_loop_block');
      return blocks.find(({ route }) => route === 'POST /checkout');
    }, 'the block');
    expect(found).toMatchObject({
      callSite: { function: 'OrdersService.checkout', file: 'sample-app/orders/orders.service.ts' },
    });
    expect(found.explanation).toContain('pbkdf2Sync');
  });

  it('keeps a slow query with the request it was made for, and without its literals', async () => {
    expect(await status('/tracks/search?q=e')).toBe(200);
    const slow = await until(
      async () =>
        (await json<SlowOperation[]>('/performance/slow?type=database')).find(
          ({ name }) => name === 'SELECT track',
        ),
      'the slow query',
    );
    expect(slow).toMatchObject({ type: 'database', thresholdMs: 100, root: { name: 'GET /tracks/search' } });
    expect(slow.statement).not.toMatch(/%|LIKE 'a/);
    expect(await json(`/performance/slow/${slow.id}`)).toEqual(slow);
  });

  it('tells a slow dependency from own work', async () => {
    expect(await status('/recommendations/4')).toBe(200);
    expect(await status('/reports/sold-together')).toBe(200);
    const slow = await until(async () => {
      const all = await json<SlowOperation[]>('/performance/slow');
      return all.some(({ type }) => type === 'external') && all.some(({ type }) => type === 'calculation')
        ? all
        : undefined;
    }, 'both');
    const request = slow.find(({ name }) => name === 'GET /recommendations/:customerId');
    const calculation = slow.find(({ name }) => name === 'OrdersService.soldTogether');
    expect(request?.selfTimeMs).toBeLessThan((request?.durationMs ?? 0) / 2);
    expect(calculation?.resources?.eventLoopUtilization).toBeGreaterThan(0.3);
  });

  it('answers with the status that it would have without the module', async () => {
    expect(await status('/admin')).toBe(403);
    expect(await status('/no/such/page')).toBe(404);
    expect(await status('/albums/abc')).toBe(400);
    expect(await status('/checkout', 'POST')).toBe(201);
    expect(await status('/leak/on', 'POST')).toBe(204);
    expect(await json('/leak/visit')).toEqual({ leaking: true, kept: 1 });
    expect(await status('/leak/off', 'POST')).toBe(204);
    expect(await json('/health')).toMatchObject({ details: { performance: { status: expect.any(String) } } });
    expect(await operation('GET /admin')).toMatchObject({ count: 1, errorCount: 0 });
  });

  it.each([
    ['PORT', 'eighty', /PORT is "eighty": give a whole number/],
    [
      'DATABASE_URL',
      'mysql://me:hidden@db/store',
      /DATABASE_URL is "mysql:\/\/\*\*\*@db\/store": give an address/,
    ],
    ['TRAFFIC_SECONDS', 'long', /TRAFFIC_SECONDS is "long": give a whole number from 1/],
    ['OTEL_HTTP_THRESHOLD_MS', 'fast', /OTEL_HTTP_THRESHOLD_MS is "fast", which is not allowed/],
  ])(
    'says what is wrong with %s=%s',
    async (name, value, message) => {
      const refused = open({ PORT: '0', [name]: value }, '--quiet');
      const [code] = (await once(refused.process, 'exit')) as [number];
      expect(code).toBe(1);
      expect(refused.output()).toMatch(message);
      expect(refused.output()).not.toContain('hidden');
    },
    30_000,
  );

  it('says when the port it was given is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const refused = open({ PORT: String(port) }, '--quiet');
    await once(refused.process, 'exit');
    expect(refused.output()).toContain(`PORT is ${port}, which is taken`);
    server.close();
  }, 30_000);
});

describe('the music store of a container', () => {
  it('answers on other addresses, and shows its performance to those who have the token', async () => {
    const token = 'token-of-the-container';
    const store = open({ PORT: '0', HOST: '0.0.0.0', PERFORMANCE_TOKEN: token }, '--quiet');
    try {
      const port = await until(() => /open at http:\S+:(\d+)/.exec(store.output())?.[1], 'an address');
      // Nothing listens there when the store listens on 127.0.0.1 alone.
      const stats = `http://127.0.0.2:${port}/performance/stats`;
      expect((await fetch(stats)).status).toBe(403);
      expect((await fetch(stats, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    } finally {
      await close(store);
    }
  }, 60_000);
});

describe('its visitors', () => {
  it('make findings', async () => {
    const store = open({ PORT: '0' });
    try {
      await until(() => (/open at/.test(store.output()) ? true : undefined), 'the store');
      await until(
        () => (/operations were slow:\n(?:.*\n){3}/.test(store.output()) ? true : undefined),
        'the findings',
      );
      expect(store.output()).toMatch(/of \d+ +median .* http +GET \/tracks\/search/);
    } finally {
      await close(store);
    }
  }, 60_000);
});
