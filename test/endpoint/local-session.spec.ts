import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { usesHttps } from '../../lib/nest/endpoint/secure-client.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import type { ProfileStore } from '../../lib/profiling/profile-store.js';
import { runCli } from '../cli/support/analyzing.js';
import { localSession, PLATFORMS, startApplication, type TestApplication } from '../support/application.js';
import { stopBuckets } from './stopped-buckets.js';

const TOKEN = 'sixteen-characters';
const bearer = { authorization: `Bearer ${TOKEN}` };
type Headers = Record<string, string>;

describe.each(PLATFORMS)('captures and resets on %s', (platform) => {
  let application: TestApplication;
  let folder: string;
  const { NODE_ENV } = process.env;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-session-'));
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    process.env['NODE_ENV'] = NODE_ENV;
    delete process.env['NESTJS_PERFORMANCE_TOKEN'];
    await application.app.close();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (endpoint: PerformanceOptions['endpoint'] = {}): Promise<void> => {
    const profiling = { directory: join(folder, 'profiles') };
    application = await startApplication(platform, {}, { endpoint, profiling, baseline: { enabled: false } });
  };
  const page = (): string => `${application.url}/performance`;
  const ask = (method: string, path: string, headers: Headers | string[] = {}) =>
    new Promise<{
      status: number | undefined;
      body: { code?: string; message?: string };
      answer: IncomingMessage;
    }>((resolve, reject) => {
      const sent = request(page() + path, { method, headers, agent: false }, async (answer) => {
        let text = '';
        for await (const chunk of answer) text += chunk;
        const isJson = answer.headers['content-type']?.startsWith('application/json');
        resolve({ status: answer.statusCode, body: isJson ? JSON.parse(text) : {}, answer });
      });
      sent.once('error', reject).end();
    });
  const status = async (method: string, path: string, headers?: Headers | string[]): Promise<unknown> =>
    (await ask(method, path, headers)).status;
  const reset = (headers: Headers = {}): Promise<unknown> => status('DELETE', '/stats', headers);
  const snapshot = async (): Promise<string> => {
    const store: ProfileStore = application.app.get(PerformanceMonitor).profiling.store;
    const described = { reason: 'memory', startedAt: Date.now(), durationMs: 1, scope: 'process' } as const;
    const kept = await store.write({ id: store.newId(), type: 'heap_snapshot', ...described }, '{}');
    return kept?.id ?? '';
  };

  it('require a session even of local callers', async () => {
    await start();
    expect(await status('GET', '/stats')).toBe(200);
    for (const [method, path] of [
      ['DELETE', '/stats'],
      ['POST', '/profiles?seconds=1'],
      ['POST', '/profiles?type=allocations&seconds=1'],
    ] as const) {
      const { status: refused, body } = await ask(method, path);
      expect([method, path, refused, body.code]).toEqual([method, path, 403, 'session_required']);
    }
    const session = await localSession(page());
    expect(await reset(session)).toBe(204);
    expect(await status('POST', '/profiles?seconds=1', session)).toBe(201);
    expect(await status('POST', '/profiles?type=allocations&seconds=1', session)).toBe(201);
  });

  it('accept the session from the same origin only', async () => {
    await start();
    const session = await localSession(page());
    const own = application.url;
    const foreign: Headers[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: own.replace(/\d+$/, '1') },
      { origin: own.replace('http:', 'https:').replace(/:\d+$/, '') },
      { referer: 'https://evil.example/' },
      { referer: `${own.replace(/\d+$/, '1')}/performance` },
      { referer: 'about:blank' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'same-site', origin: own },
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    ];
    for (const headers of foreign)
      expect([headers, await reset({ ...session, ...headers })]).toEqual([headers, 403]);
    const ours: Headers[] = [
      {},
      { origin: own },
      { referer: `${own}/performance#slow` },
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'same-origin', origin: own, referer: `${own}/performance` },
    ];
    for (const headers of ours)
      expect([headers, await reset({ ...session, ...headers })]).toEqual([headers, 204]);
  });

  it('are not open to pages of other ports of this machine, which can read nothing either', async () => {
    await start();
    const other: Headers = { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' };
    expect(await status('GET', '/stats', other)).toBe(403);
    expect(await status('GET', '/stats', { ...other, 'sec-fetch-site': 'none' })).toBe(200);
    expect(await status('GET', '/stats', { ...other, 'sec-fetch-site': 'same-origin' })).toBe(200);
    const { answer } = await ask('GET', '', { origin: 'http://localhost:1' });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('give a session to local callers only, for the endpoint only', async () => {
    await start();
    const { status: given, answer } = await ask('POST', '/session');
    expect([given, answer.headers['set-cookie']]).toEqual([
      204,
      [
        expect.stringMatching(
          /^nestjs-performance-session=\w+\.[\w-]{43}; Max-Age=43200; HttpOnly; SameSite=Strict$/,
        ),
      ],
    ]);
    for (const headers of [
      { host: 'evil.example' },
      { 'x-forwarded-for': '127.0.0.1' },
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'same-site' },
    ] as Headers[]) {
      const refused = await ask('POST', '/session', headers);
      expect([refused.status, refused.answer.headers['set-cookie']]).toEqual([403, undefined]);
    }
    for (const path of ['', '/stats', '/session'])
      expect((await ask('GET', path)).answer.headers['set-cookie']).toBeUndefined();
  });

  it('let the page begin a session by itself, for local callers only', async () => {
    const marked = async (headers: Headers = {}): Promise<boolean> =>
      (await (await fetch(page(), { headers })).text()).includes('data-session');
    await start();
    expect([await marked(), await marked({ 'x-forwarded-for': '127.0.0.1' })]).toEqual([true, false]);
    await application.app.close();
    await start({ token: TOKEN });
    expect(await marked()).toBe(false);
  });

  it('give no session without the token where a token, a function or production decides', async () => {
    for (const [endpoint, environment, refusal] of [
      [{ token: TOKEN }, undefined, 403],
      [{ authorize: () => true }, undefined, 404],
      [{ guards: [{ canActivate: () => true }] }, undefined, 404],
      [{}, 'production', 403],
    ] as const) {
      process.env['NODE_ENV'] = environment ?? NODE_ENV;
      await start(endpoint as PerformanceOptions['endpoint']);
      const { status: refused, answer } = await ask('POST', '/session');
      expect([refused, answer.headers['set-cookie']]).toEqual([refusal, undefined]);
      await application.app.close();
    }
  });

  it('do not accept the session of another process', async () => {
    await start();
    const session = await localSession(page());
    await application.app.close();
    await start();
    expect(await reset(session)).toBe(403);
    expect(await reset(await localSession(page()))).toBe(204);
  });

  it('require no session of callers that a function or a guard admits', async () => {
    for (const endpoint of [{ authorize: () => true }, { guards: [{ canActivate: () => true }] }]) {
      await start(endpoint);
      expect([await reset(), await reset({ origin: 'http://evil.example' })]).toEqual([204, 403]);
      await application.app.close();
    }
  });

  it('never include a heap snapshot without the token', async () => {
    for (const endpoint of [{}, { authorize: () => true }]) {
      await start(endpoint);
      const session = endpoint.authorize === undefined ? await localSession(page()) : {};
      const taken = await ask('POST', '/profiles?type=heap_snapshot', session);
      const download = await ask('GET', `/profiles/${await snapshot()}`, session);
      expect([taken.status, taken.body.code]).toEqual([403, 'token_required']);
      expect([download.status, download.body.code]).toEqual([403, 'token_required']);
      expect(taken.body.message).toContain('set the option endpoint.token');
      await application.app.close();
    }
  });

  it('include a heap snapshot with the token, or a session begun with it', async () => {
    await start({ token: TOKEN, authorize: () => true });
    const id = await snapshot();
    const { answer } = await ask('POST', '/login', bearer);
    const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    for (const headers of [bearer, { cookie }] as Headers[])
      expect(await status('GET', `/profiles/${id}`, headers)).toBe(200);
    expect(await status('GET', `/profiles/${id}`)).toBe(403);
    expect(await status('GET', `/profiles/${id}/info`)).toBe(200);
  });

  it('work from the command line, which begins a session if it has no token', async () => {
    await start();
    const args = (): string[] => ['profile', page(), '--seconds', '1', '-o', join(folder, 'a.cpuprofile')];
    expect(await runCli(args())).toMatchObject({ code: 0 });
    const refused = await runCli(['profile', page(), '--type=heap_snapshot', '-o', join(folder, 'b')]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('Heap snapshots')]);
    await application.app.close();
    await start({ token: TOKEN });
    const denied = await runCli([...args(), '--force']);
    expect([denied.code, denied.stderr]).toEqual([2, expect.stringContaining('access denied')]);
    process.env['NESTJS_PERFORMANCE_TOKEN'] = TOKEN;
    expect(await runCli([...args(), '--force'])).toMatchObject({ code: 0 });
  });

  it('read the token from one header of exactly one form', async () => {
    await start({ token: TOKEN });
    for (const given of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER ${TOKEN}`])
      expect([given, await status('GET', '/stats', { authorization: given })]).toEqual([given, 200]);
    for (const given of [
      `Bearer ${TOKEN} more`,
      `Bearer ${TOKEN},`,
      `Bearer ${TOKEN}, Basic bWU6bWU=`,
      `Bearer  ${TOKEN}`,
      `Bearer\t${TOKEN}`,
      `Bearer "${TOKEN}"`,
      `Bearer${TOKEN}`,
      `Bearer=${TOKEN}`,
      `Bearer token=${TOKEN}`,
      `Bearer ${TOKEN.slice(1)}`,
      `Bearer ${TOKEN.toUpperCase()}`,
      `Token ${TOKEN}`,
      `Basic bWU6bWU=, Bearer ${TOKEN}`,
      'Bearer',
      TOKEN,
    ])
      expect([given, await status('GET', '/stats', { authorization: given })]).toEqual([given, 403]);
    const host = ['host', new URL(application.url).host];
    const right = ['authorization', `Bearer ${TOKEN}`];
    const wrong = ['Authorization', 'Bearer sixteen-characterS'];
    expect(await status('GET', '/stats', [...host, ...right])).toBe(200);
    for (const headers of [
      [...right, ...wrong],
      [...wrong, ...right],
      [...right, ...right],
    ])
      expect(await status('GET', '/stats', [...host, ...headers])).toBe(403);
  });

  it('are never limited by those without access', async () => {
    await start({
      token: TOKEN,
      authorize: ({ headers }) => headers['x-team'] === 'ops',
    });
    const { answer } = await ask('POST', '/login', bearer);
    const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    stopBuckets();
    const flood = await Promise.all(
      Array.from({ length: 400 }, (_, index) =>
        ask('GET', ['/stats', '', '/stream', '/ui/app.js'][index % 4] ?? '', {
          ...(index % 3 === 0 && { authorization: `Bearer sixteen-character${index}` }),
          ...(index % 3 === 1 && { cookie: `nestjs-performance-session=zzzzzzzz.${'a'.repeat(43)}` }),
        }),
      ),
    );
    const limited = flood.filter((one) => one.status === 429);
    // Half of them ask for data, and 50 failed attempts are answered.
    expect(limited).toHaveLength(150);
    // The page shows the login then, too.
    expect(limited.every(({ body }) => body.code === 'token_required')).toBe(true);
    for (const headers of [bearer, { cookie }, { 'x-team': 'ops' }] as Headers[])
      expect([headers, await status('GET', '/stats', headers)]).toEqual([headers, 200]);
    // The page and its login are there for those who have the token but no session yet.
    expect(await status('GET', '')).toBe(200);
    expect(await status('POST', '/login', bearer)).toBe(204);
  });
});

describe('the cookie of a session', () => {
  const isSecure = (headers: Headers, encrypted?: boolean): boolean =>
    usesHttps({ url: '/', headers, socket: encrypted === undefined ? {} : { encrypted } });

  it.each<Headers>([
    { 'x-forwarded-proto': 'https' },
    { 'x-forwarded-proto': 'HTTPS, http' },
    { 'x-forwarded-protocol': 'https' },
    { 'x-forwarded-scheme': 'https' },
    { 'x-scheme': 'https' },
    { 'x-url-scheme': 'https' },
    { 'x-forwarded-ssl': 'on' },
    { 'front-end-https': 'On' },
    { 'cf-visitor': '{"scheme":"https"}' },
    { 'cloudfront-forwarded-proto': 'https' },
    { 'x-arr-ssl': '2048|256|C=US' },
    { 'fastly-ssl': '1' },
    { 'wl-proxy-ssl': 'true' },
    { forwarded: 'proto=https' },
    { forwarded: 'for=192.0.2.60;proto=https;by=203.0.113.43' },
    { forwarded: 'for="[2001:db8::1]"; Proto="https", for=10.0.0.1;proto=http' },
    { origin: 'https://shop.example' },
    { referer: 'https://shop.example/performance' },
  ])('is secure with %j', (headers) => {
    expect(isSecure(headers)).toBe(true);
  });

  it.each<Headers>([
    {},
    { 'x-forwarded-proto': 'http' },
    { 'x-forwarded-proto': 'http, https' },
    { 'x-forwarded-proto': 'httpsx' },
    { 'x-forwarded-proto': '' },
    { 'x-url-scheme': 'http' },
    { 'x-forwarded-ssl': 'off' },
    { 'front-end-https': 'off' },
    { 'cf-visitor': '{"scheme":"http"}' },
    { 'cf-visitor': 'https' },
    { 'cloudfront-forwarded-proto': 'http' },
    { forwarded: 'for=192.0.2.60;proto=http' },
    { forwarded: 'for=10.0.0.1;proto=http, for=10.0.0.2;proto=https' },
    { forwarded: 'for=https' },
    { forwarded: 'for=1;xproto=https' },
    { origin: 'http://shop.example' },
    { 'x-request-id': 'https' },
  ])('is not secure with %j', (headers) => {
    expect(isSecure(headers)).toBe(false);
  });

  it('is secure on an encrypted connection', () => {
    expect([isSecure({}, true), isSecure({}, false)]).toEqual([true, false]);
  });
});
