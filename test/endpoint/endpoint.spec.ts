import { get } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, VersioningType } from '@nestjs/common';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import type { PerformanceModuleExtras } from '../../lib/nest/performance.module.js';
import {
  localSession,
  PLATFORMS,
  startApplication,
  type TestApplication,
  until,
} from '../support/application.js';

@Controller({ path: 'albums', version: '1' })
class AlbumsController {
  @Get()
  get(): string {
    return 'albums';
  }
}

describe.each(PLATFORMS)('the endpoint on %s', (platform) => {
  let application: TestApplication | undefined;
  const { NODE_ENV } = process.env;
  afterEach(async () => {
    process.env['NODE_ENV'] = NODE_ENV;
    await application?.app.close();
    application = undefined;
  });

  const start = async (
    options: PerformanceOptions & PerformanceModuleExtras = {},
    before?: (app: INestApplication) => void,
  ): Promise<void> => {
    application = await startApplication(platform, { controllers: [AlbumsController], before }, options);
  };
  const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(application?.url + path, init);
  const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await ask(path, { headers })).status;

  it('answers loopback callers outside production, but not through a proxy', async () => {
    await start();
    expect(await status('/performance/stats')).toBe(200);
    for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']) {
      expect(await status('/performance/stats', { [header]: '10.0.0.1' })).toBe(403);
    }
  });

  it('rejects other host names (DNS rebinding)', async () => {
    await start();
    const asking = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const request = get(`${application?.url}/performance/stats`, { headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        request.once('error', reject);
      });
    for (const host of [
      'evil.example',
      'evil.example:3000',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
    ])
      expect({ host, status: await asking(host) }).toEqual({ host, status: 403 });
    for (const host of ['localhost', 'localhost:3000', 'shop.localhost', '127.0.0.1:80', '[::1]:3000'])
      expect({ host, status: await asking(host) }).toEqual({ host, status: 200 });
  });

  it('is closed in production by default', async () => {
    process.env['NODE_ENV'] = 'production';
    await start();
    for (const path of ['stats', 'slow', 'slow/1', 'findings', 'queries']) {
      expect(await status(`/performance/${path}`)).toBe(403);
    }
    expect((await ask('/performance/stats', { method: 'DELETE' })).status).toBe(403);
    expect(
      application?.logged.some(({ message }) => message.includes('The endpoint is closed in production')),
    ).toBe(true);
  });

  it('requires the token, if set', async () => {
    process.env['NODE_ENV'] = 'production';
    await start({ endpoint: { token: 'sixteen-characters' } });
    expect(await status('/performance/stats', { authorization: 'Bearer sixteen-characters' })).toBe(200);
    for (const authorization of [
      'Bearer sixteen-character',
      'Bearer ',
      'Basic sixteen-characters',
      'sixteen-characters',
    ]) {
      expect(await status('/performance/stats', { authorization })).toBe(403);
    }
    expect(await status('/performance/stats')).toBe(403);
  });

  it('calls endpoint.authorize', async () => {
    process.env['NODE_ENV'] = 'production';
    await start({
      endpoint: {
        authorize: async (request) =>
          (request as { headers: Record<string, string> }).headers['x-team'] === 'store',
      },
    });
    expect(await status('/performance/stats', { 'x-team': 'store' })).toBe(200);
    expect(await status('/performance/stats')).toBe(403);
  });

  it('denies access for any result but true', async () => {
    await start({ endpoint: { authorize: (() => 'yes') as never } });
    expect(await status('/performance/stats')).toBe(403);
  });

  it('can be disabled', async () => {
    await start({ endpoint: { enabled: false } });
    expect(await status('/performance/stats')).toBe(404);
  });

  it('ignores the prefix and versions of the application', async () => {
    await start({ endpointPath: 'internal/speed' }, (app) => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '7' });
    });
    expect(await status('/internal/speed/stats')).toBe(200);
    expect(await status('/internal/speed')).toBe(200);
    expect(await status('/api/internal/speed/stats')).toBe(404);
    expect(await status('/api/v1/albums')).toBe(200);
    await until(() => application?.operation('GET /api/v1/albums')?.count === 1);
    expect(application?.monitor.getStats().byType['http']?.count).toBe(2);
  });

  it('does not log its routes', async () => {
    await start();
    const messages = application?.logged.map(({ message }) => message) ?? [];
    expect(messages.filter((message) => /performance/i.test(message))).toEqual([
      'PerformanceModule dependencies initialized',
    ]);
    expect(messages.some((message) => message.includes('Mapped {/albums, GET}'))).toBe(true);
  });

  it('resets the statistics', async () => {
    await start();
    await ask('/v1/albums');
    await until(() => application?.monitor.getStats().byType['http']?.count === 1);
    const headers = await localSession(`${application?.url}/performance`);
    const response = await ask('/performance/stats', { method: 'DELETE', headers });
    expect(response.status).toBe(204);
    expect(application?.monitor.getStats().byType['http']).toBeUndefined();
  });

  it('forbids caching', async () => {
    await start();
    for (const path of [
      '/performance/stats',
      '/performance/slow',
      '/performance/findings',
      '/performance/queries',
    ]) {
      expect((await ask(path)).headers.get('cache-control')).toBe('no-store');
    }
  });

  it.each([
    ['/performance/stats?operations=0', 'operations: received "0"'],
    ['/performance/stats?operations=1001', 'operations: received "1001"'],
    ['/performance/slow?limit=-1', 'limit: received "-1"'],
    ['/performance/slow?limit=1&limit=2', 'limit: received an array'],
    ['/performance/slow?type=', 'type: received ""'],
    ['/performance/slow?cause=toString', 'cause: received "toString"'],
    ['/performance/slow?status=500', 'status: received "500"'],
    ['/performance/slow?minMs=fast', 'minMs: received "fast"'],
    ['/performance/slow?since=yesterday', 'since: received "yesterday"'],
    ['/performance/slow?until=tomorrow', 'until: received "tomorrow"'],
    ['/performance/slow?until=', 'until: received ""'],
    ['/performance/slow?until=1h&until=2h', 'until: received an array'],
    ['/performance/slow?since=1h&until=2h', 'until: received "2h"'],
    ['/performance/slow?text=', 'text: received ""'],
    ['/performance/findings?type=leak', 'type: received "leak"'],
    ['/performance/findings?limit=x', 'limit: received "x"'],
    ['/performance/queries?all=yes', 'all: received "yes"'],
  ])('rejects %s', async (path, message) => {
    await start();
    const response = await ask(path);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { message: string }).message).toContain(
      `Invalid query parameter ${message}, expected `,
    );
  });

  it('lists the slow operations of a range of time', async () => {
    await start();
    const before = Date.now();
    application?.app
      .get(PerformanceMonitor)
      .record({ type: 'other', name: 'rebuild', durationMs: 9, thresholdMs: 1, error: false });
    const after = Date.now();
    const listed = async (query: string): Promise<string[]> =>
      ((await (await ask(`/performance/slow?${query}`)).json()) as { name: string }[]).map(
        ({ name }) => name,
      );
    const iso = (at: number): string => encodeURIComponent(new Date(at).toISOString());
    expect(await listed(`since=${before}&until=${after}`)).toEqual(['rebuild']);
    expect(await listed(`since=${iso(before)}&until=${iso(after)}`)).toEqual(['rebuild']);
    expect(await listed(`since=1h&until=${before - 1}`)).toEqual([]);
    expect(await listed('until=1h')).toEqual([]);
    // The end may be in the future, as that of a day is.
    expect(await listed(`since=2020-01-01&until=${iso(after + 3_600_000)}`)).toEqual(['rebuild']);
  });

  it('returns 404 for an unknown slow operation', async () => {
    await start();
    const response = await ask('/performance/slow/0123456789abcdef');
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('0123456789abcdef');
  });
});
