import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Finding } from '../../lib/explain/finding.js';
import type { SlowOperation } from '../../lib/monitor/operation.js';
import type { PerformanceStats } from '../../lib/monitor/performance-stats.js';
import { StoreProcess, until } from './store-process';

describe('the music store', () => {
  let store: StoreProcess;
  let url: string;
  beforeAll(async () => {
    store = StoreProcess.open({ PORT: '0' }, ['--quiet']);
    url = await store.address();
  }, 60_000);
  afterAll(async () => {
    expect(await store.close()).toBe(0);
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
    ['PORT', 'eighty', 'Invalid PORT: received "eighty", expected a whole number from 0 to 65535'],
    [
      'DATABASE_URL',
      'mysql://me:hidden@db/store',
      'Invalid DATABASE_URL: received "mysql://***@db/store", expected an address such as postgres://user:password@localhost:5432/store',
    ],
    [
      'DATABASE_URL',
      'postgres://me:hidden@127.0.0.1:1/store',
      `No database answers at DATABASE_URL "postgres://***@127.0.0.1:1/store" (connect ECONNREFUSED 127.0.0.1:1): start it, or unset DATABASE_URL to use the store's own Postgres`,
    ],
    ['TRAFFIC_SECONDS', 'long', 'Invalid TRAFFIC_SECONDS: received "long", expected a whole number from 1'],
    [
      'HOST',
      '192.0.2.1',
      'Invalid HOST: received "192.0.2.1", expected an address of this machine (listen EADDRNOTAVAIL: address not available 192.0.2.1)',
    ],
    [
      'OTEL_HTTP_THRESHOLD_MS',
      'fast',
      'OTEL_HTTP_THRESHOLD_MS is "fast", which is not allowed: give a number of milliseconds, 0 to 86400000',
    ],
  ])(
    'says in one line what is wrong with %s=%s',
    async (name, value, message) => {
      const refused = StoreProcess.open({ PORT: '0', [name]: value }, ['--quiet']);
      expect(await refused.ended()).toBe(1);
      expect(refused.output).toBe(`${message}\n`);
    },
    30_000,
  );

  it('says when the port it was given is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const refused = StoreProcess.open({ PORT: String(port) }, ['--quiet']);
    await refused.ended();
    expect(refused.output).toBe(`PORT ${port} is taken: give another one, or 0 for any that is free\n`);
    server.close();
  }, 30_000);

  it('takes another port where the default is taken, and says which', async () => {
    const server = createServer().listen(3000, '127.0.0.1');
    // Whoever else has it serves as well.
    await Promise.race([once(server, 'listening'), once(server, 'error').catch(() => {})]).catch(() => {});
    const other = StoreProcess.open({ PORT: '' }, ['--quiet']);
    try {
      expect(new URL(await other.address()).port).not.toBe('3000');
      expect(other.output).toContain('(port 3000 is taken)');
      expect(other.output).not.toMatch(/ERROR|EADDRINUSE/);
    } finally {
      await other.close();
      server.close();
    }
  }, 60_000);

  it('fits on a screen', () => {
    const lines = store.output.split('\n');
    expect(lines.length).toBeLessThan(24);
    expect(store.output).not.toMatch(/DEBUG|Mapped|dependencies initialized/);
  });
});

describe('the music store of a container', () => {
  it('answers on other addresses, and shows its performance to those who have the token', async () => {
    const token = 'token-of-the-container';
    const store = StoreProcess.open({ PORT: '0', HOST: '0.0.0.0', PERFORMANCE_TOKEN: token }, ['--quiet']);
    try {
      const { port } = new URL(await store.address());
      // Nothing listens there when the store listens on 127.0.0.1 alone.
      const stats = `http://127.0.0.2:${port}/performance/stats`;
      expect((await fetch(stats)).status).toBe(403);
      expect((await fetch(stats, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    } finally {
      await store.close();
    }
  }, 60_000);
});

describe('its visitors', () => {
  it('make findings', async () => {
    // The findings are printed when the visitors have gone.
    const store = StoreProcess.open({ PORT: '0', TRAFFIC_SECONDS: '6' });
    try {
      await store.address();
      await until(
        () => (/operations were slow:\n(?:.*\n){3}/.test(store.output) ? true : undefined),
        'the findings',
      );
      expect(store.output).toMatch(/of \d+ +median .* http +GET /);
      expect(store.output).toMatch(/GET \/tracks\/search took \d+ ms \(threshold 150/);
    } finally {
      await store.close();
    }
  }, 60_000);
});
