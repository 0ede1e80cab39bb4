import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Finding } from '../../lib/explain/finding.js';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import type { PerformanceStats } from '../../lib/report/performance-stats.js';
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

  it('records Postgres queries, although TypeORM loaded the driver before the module started', async () => {
    const { drivers } = await json<PerformanceStats>('/performance/stats');
    expect(drivers).toContainEqual(
      expect.objectContaining({ driver: 'pg', seen: true, how: 'part of this package' }),
    );
    await status('/albums?page=3');
    expect(await operation('SELECT album')).toMatchObject({ type: 'database', errorCount: 0 });
  });

  it('counts the queries of an N+1', async () => {
    const session = await fetch(`${url}/performance/session`, { method: 'POST' });
    const headers = { cookie: session.headers.get('set-cookie')?.split(';')[0] ?? '' };
    await fetch(`${url}/performance/stats`, { method: 'DELETE', headers });
    expect(await status('/albums/with-tracks?page=1')).toBe(200);
    await until(async () => await operation('GET /albums/with-tracks'), 'the request');
    expect(await operation('SELECT track')).toMatchObject({ type: 'database', count: 50 });
    expect(await operation('CatalogService.withTracks')).toMatchObject({ type: 'internal', count: 1 });
  });

  it('finds the N+1 with its call site', async () => {
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

  it('attributes an event loop block to its operation', async () => {
    // The watchdog starts its thread one second after the application.
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

  it('keeps a slow query with its request, and without literals', async () => {
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

  it('distinguishes a slow dependency from own work', async () => {
    expect(await status('/recommendations/4')).toBe(200);
    expect(await status('/reports/sold-together')).toBe(200);
    const slow = await until(async () => {
      const all = await json<SlowOperation[]>('/performance/slow');
      return all.some(({ type }) => type === 'external') && all.some(({ type }) => type === 'calculation')
        ? all
        : undefined;
    }, 'both operations');
    const request = slow.find(({ name }) => name === 'GET /recommendations/:customerId');
    const calculation = slow.find(({ name }) => name === 'OrdersService.soldTogether');
    expect(request?.selfTimeMs).toBeLessThan((request?.durationMs ?? 0) / 2);
    expect(calculation?.resources?.eventLoopUtilization).toBeGreaterThan(0.3);
  });

  it('does not change response statuses', async () => {
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

  it('prints less than a screen', () => {
    const lines = store.output.split('\n');
    expect(lines.length).toBeLessThan(24);
    expect(store.output).not.toMatch(/DEBUG|Mapped|dependencies initialized/);
  });
});
