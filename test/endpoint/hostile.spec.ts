import { Agent, get, type IncomingMessage, request } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import type { Overview } from '../../lib/dashboard/overview.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { MAX_NAME } from '../../lib/operation/operation.js';
import type { PerformanceStats } from '../../lib/report/performance-stats.js';
import { PLATFORMS, startApplication, type TestApplication, until } from '../support/application.js';

const LONG = `long-${'x'.repeat(10_000)}`;
const HOSTILE =
  'GET /<img src=x onerror=alert(1)>"\'`\u001b]0;owned\u0007\u001b[31m\u202e|[a](javascript:alert(1))\n# b';
const SECRET = 'secret-shop';
const TOKEN = 'sixteen-characters';
/** Every route with data. The page itself is public if a token is set. */
const ROUTES: readonly (readonly [string, string])[] = [
  ...['stats', 'slow', 'slow/1', 'findings', 'queries', 'overview', 'stream', 'baseline', 'profiles'].map(
    (path) => ['GET', path] as const,
  ),
  ...[
    'report',
    'report.json',
    'report.md',
    'report.html',
    'report/schema',
    'profiles/1',
    'profiles/1/info',
  ].map((path) => ['GET', path] as const),
  ['DELETE', 'stats'],
  ['POST', 'profiles'],
  ['POST', 'login'],
  ['POST', 'mcp'],
  ['GET', 'mcp'],
  ['DELETE', 'mcp'],
];

@Controller()
class LongController {
  @Get(LONG)
  get(): string {
    return 'long';
  }
}

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function heapMb(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

describe.each(PLATFORMS)('a hostile client on %s', (platform) => {
  let application: TestApplication | undefined;
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const { NODE_ENV } = process.env;
  afterEach(async () => {
    process.env['NODE_ENV'] = NODE_ENV;
    agent.destroy();
    await application?.app.close();
    application = undefined;
  });

  const start = async (options: PerformanceOptions): Promise<PerformanceMonitor> => {
    application = await startApplication(
      platform,
      { controllers: [LongController] },
      { serviceName: SECRET, baseline: { enabled: false }, ...options },
    );
    return application.app.get(PerformanceMonitor);
  };
  const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number | undefined; text: string; headers: IncomingMessage['headers'] }>(
      (resolve, reject) => {
        request(`${application?.url}/performance/${path}`, { method, headers, agent }, async (response) => {
          let text = '';
          try {
            for await (const chunk of response) text += chunk;
            resolve({ status: response.statusCode, text, headers: response.headers });
          } catch (error) {
            reject(error);
          }
        })
          .once('error', reject)
          .end();
      },
    );

  it('learns nothing from 10,000 unauthorized requests, and allocates no memory', async () => {
    process.env['NODE_ENV'] = 'production';
    const monitor = await start({ endpoint: { token: TOKEN, authorize: () => false } });
    for (let count = 0; count < 10; count++)
      monitor.record({ type: 'http', name: SECRET, durationMs: 900, thresholdMs: 1, error: false });
    const statuses = new Map<number | undefined, number>();
    const attack = async (requests: number): Promise<void> => {
      const next = async (from: number): Promise<void> => {
        for (let count = from; count < requests; count += 16) {
          const [method = '', path = ''] = ROUTES[count % ROUTES.length] ?? [];
          const credentials: Record<string, string>[] = [
            {},
            { authorization: `Bearer ${TOKEN}${count}` },
            { cookie: `nestjs-performance-session=zzzzzzzz.${'a'.repeat(43)}` },
            { origin: 'https://evil.example' },
          ];
          const { status, text, headers } = await ask(method, path, credentials[count % 4]);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          const answer = JSON.stringify(headers) + text;
          if (answer.includes(SECRET) || answer.includes(TOKEN) || headers['set-cookie'] !== undefined)
            throw new Error(`${method} ${path} told something: ${answer}`);
        }
      };
      await Promise.all(Array.from({ length: 16 }, (_, index) => next(index)));
    };
    await attack(1000);
    const before = heapMb();
    await attack(10_000);
    expect(heapMb() - before).toBeLessThan(8);
    expect([...statuses.keys()].sort()).toEqual([403, 429]);
    expect(monitor.getStats().byType['http']?.count).toBe(10);
  }, 120_000);

  it('cannot exceed the limit of streams', async () => {
    await start({ endpoint: { maxStreams: 20 } });
    const answers: IncomingMessage[] = [];
    const statuses: (number | undefined)[] = [];
    await Promise.all(
      Array.from(
        { length: 500 },
        () =>
          new Promise<void>((resolve, reject) => {
            get(`${application?.url}/performance/stream`, { agent: false }, (response) => {
              statuses.push(response.statusCode);
              answers.push(response);
              response.on('error', () => {});
              response.resume();
              resolve();
            }).once('error', reject);
          }),
      ),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(20);
    const refused = answers.filter(({ statusCode }) => statusCode === 503);
    expect(refused).toHaveLength(480);
    expect(refused[0]?.headers['retry-after']).toBe('5');
    const streams = async (): Promise<number> =>
      (JSON.parse((await ask('GET', 'overview')).text) as Overview).overhead.streams;
    expect(await streams()).toBe(20);
    for (const answer of answers) answer.destroy();
    // Below the rate limit of the endpoint.
    while ((await streams()) > 0) await new Promise((resolve) => setTimeout(resolve, 25));
  }, 60_000);

  it('gets truncated errors for malformed and oversized requests', async () => {
    await start({});
    const large = 'y'.repeat(6000);
    for (const [path, field] of [
      [`stats?operations=${large}`, 'operations'],
      [`stats?operations[$gt]=1`, undefined],
      [`stats?operations=1e3`, 'operations'],
      [`stats?operations=%00`, 'operations'],
      [`slow?limit=9999999999999999999999`, 'limit'],
      [`slow?type=${large}&limit=0x10`, 'limit'],
      [`findings?type=__proto__`, 'type'],
      [`queries?all=${encodeURIComponent(HOSTILE)}`, 'all'],
      [`report?since=${large}`, 'since'],
      [`slow/${large}`, undefined],
      [`profiles/..%2F..%2Fetc%2Fpasswd`, undefined],
      [`profiles/${'%2e%2e%2f'.repeat(50)}`, undefined],
    ] as const) {
      const { status, text } = await ask('GET', path);
      expect([path.slice(0, 40), (status ?? 0) < 500]).toEqual([path.slice(0, 40), true]);
      expect(text).not.toContain(large);
      if (field === undefined) continue;
      expect([status, (JSON.parse(text) as { message: string }).message]).toEqual([
        400,
        expect.stringMatching(new RegExp(`^Invalid query parameter ${field}: received .*, expected `)),
      ]);
    }
  });

  it('cannot inject markup by names', async () => {
    const monitor = await start({});
    for (let count = 0; count < 5; count++)
      monitor.record({ type: 'http', name: HOSTILE, durationMs: 900, thresholdMs: 1, error: false });
    const overview = await ask('GET', 'overview');
    expect(overview.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(overview.headers['x-content-type-options']).toBe('nosniff');
    const { operations, health } = JSON.parse(overview.text) as Overview;
    expect(operations[0]?.name).toBe(HOSTILE);
    expect(health.sentence).toContain('is slow in 100 %');
    for (const path of ['overview', 'stats', 'slow', 'report.json']) {
      // Escaped in JSON, so that neither a terminal nor an event stream interprets it.
      const { text } = await ask('GET', path);
      expect(text).toContain('onerror=alert(1)');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the text must not contain them
      expect(text).not.toMatch(/[\u0000-\u001f]/);
    }
    const page = (await ask('GET', 'report.html')).text;
    expect(page).not.toContain('<img');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the text must not contain them
    expect(page).not.toMatch(/[\u001b\u0007\u202e]/);
    const markdown = (await ask('GET', 'report.md')).text;
    expect(markdown).not.toContain('<img');
    expect(markdown).not.toContain('[a](javascript');
    expect(markdown).not.toMatch(/^# b/m);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the text must not contain them
    expect(markdown).not.toMatch(/[\u001b\u0007\u202e]/);
  });

  it('cannot exceed the maximum length of names', async () => {
    const monitor = await start({ httpThresholdMs: 0 });
    await fetch(`${application?.url}/${LONG}`);
    monitor.record({ type: 'internal', name: LONG, durationMs: 900, thresholdMs: 1, error: false });
    await until(() => monitor.getStats().byType['http'] !== undefined);
    const { operations } = JSON.parse((await ask('GET', 'stats')).text) as PerformanceStats;
    const names = operations.filter(({ name }) => name.includes('long-')).map(({ name }) => name);
    expect(names.sort()).toEqual([
      `GET /long-${'x'.repeat(MAX_NAME - 11)}…`,
      `long-${'x'.repeat(MAX_NAME - 6)}…`,
    ]);
    for (const path of ['slow', 'overview', 'report.json'])
      expect((await ask('GET', path)).text).not.toContain('x'.repeat(MAX_NAME));
  });
});
