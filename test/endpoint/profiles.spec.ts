import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ClientRequest, Server } from 'node:http';
import type { Profiler } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { CaptureRefusedError, type ProfileInfo, type ProfileType } from '../../lib/profiling/profile-info.js';
import type { ProfileStore } from '../../lib/profiling/profile-store.js';
import { PLATFORMS, startApplication, type TestApplication } from '../support/application.js';
import { decodePprof, send, statusOf } from './profiles-support.js';

const MB = 1024 * 1024;

const TOKEN = 'sixteen-characters';
const bearer = { authorization: `Bearer ${TOKEN}` };

describe.each(PLATFORMS)('the profiles of the endpoint on %s', (platform) => {
  let folder: string;
  let application: TestApplication | undefined;
  const { NODE_ENV } = process.env;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'profiles-endpoint-'));
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    process.env['NODE_ENV'] = NODE_ENV;
    await application?.app.close();
    application = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (options: PerformanceOptions = {}): Promise<void> => {
    const profiling = { directory: join(folder, 'profiles') };
    application = await startApplication(platform, {}, { profiling, endpoint: { token: TOKEN }, ...options });
  };
  const core = (): PerformanceMonitor => application?.app.get(PerformanceMonitor) as PerformanceMonitor;
  const store = (): ProfileStore => core().profiling.store;
  const url = (path: string): string => `${application?.url}/performance/profiles${path}`;
  const ask = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(url(path), { headers: bearer, ...init });
  const json = async <T>(path: string): Promise<T> => (await (await ask(path)).json()) as T;
  const capture = (query: string): Promise<Response> => ask(`?${query}`, { method: 'POST' });
  const message = async (response: Response): Promise<string> =>
    ((await response.json()) as { message: string }).message;
  const lay = async (type: ProfileType, content: string | Buffer): Promise<ProfileInfo> => {
    const described = {
      reason: 'on_demand',
      startedAt: Date.now(),
      durationMs: 1,
      scope: 'process',
    } as const;
    const kept = await store().write({ id: store().newId(), type, ...described }, content);
    if (kept === undefined) throw new Error(store().failure);
    return kept;
  };
  /** Starts a capture of five minutes. */
  const begin = async (): Promise<ClientRequest> => {
    const request = send('POST', url('?type=cpu&seconds=300'), bearer);
    await once(application?.app.getHttpServer() as Server, 'request');
    expect((await capture('type=cpu&seconds=1')).status).toBe(409);
    return request;
  };

  it('capture CPU time, in the formats of V8 and pprof', async () => {
    await start();
    const captured = await capture('seconds=1');
    expect(captured.status).toBe(201);
    const info = (await captured.json()) as ProfileInfo;
    expect(info).toMatchObject({ type: 'cpu', reason: 'on_demand', scope: 'process' });
    expect(await json('')).toEqual([info]);
    expect(await json(`/${info.id}/info`)).toEqual(info);

    const native = await ask(`/${info.id}`);
    expect(Object.fromEntries(native.headers)).toMatchObject({
      'content-type': expect.stringMatching(/^application\/json/),
      'content-disposition': `attachment; filename="${info.id}.cpuprofile"`,
      'content-length': String(info.bytes),
      'cache-control': 'no-store',
    });
    const { nodes, samples = [], timeDeltas = [] } = (await native.json()) as Profiler.Profile;
    const ids = new Set(nodes.map(({ id }) => id));
    expect(ids.size).toBe(nodes.length);
    expect(nodes.flatMap(({ children = [] }) => children).filter((id) => !ids.has(id))).toEqual([]);
    expect(samples.filter((id) => !ids.has(id))).toEqual([]);
    expect(samples.length).toBeGreaterThan(0);
    expect(timeDeltas).toHaveLength(samples.length);

    const pprof = await ask(`/${info.id}?format=pprof`);
    const bytes = new Uint8Array(await pprof.arrayBuffer());
    expect(Object.fromEntries(pprof.headers)).toMatchObject({
      'content-type': expect.stringMatching(/^application\/octet-stream/),
      'content-disposition': `attachment; filename="${info.id}.pb.gz"`,
      'content-length': String(bytes.length),
    });
    const decoded = decodePprof(bytes);
    expect(decoded.types).toEqual(['samples/count', 'cpu/nanoseconds']);
    expect(decoded.samples.length).toBeGreaterThan(0);
    expect(decoded.stacks.flat()).not.toContain('?');
    expect(application?.monitor.getStats().byType['http']).toBeUndefined();
  });

  it('capture allocations, and are listed by type, the newest first', async () => {
    await start();
    // Not where its file is on the server.
    const { path: _path, ...older } = await lay('cpu', '{}');
    const info = (await (await capture('type=allocations&seconds=1')).json()) as ProfileInfo;
    expect(info.type).toBe('allocations');
    const native = await ask(`/${info.id}`);
    expect(native.headers.get('content-disposition')).toContain(`${info.id}.heapprofile`);
    expect(await native.json()).toMatchObject({ head: { callFrame: { functionName: '(root)' } } });
    const pprof = await (await ask(`/${info.id}?format=pprof`)).arrayBuffer();
    expect(decodePprof(new Uint8Array(pprof)).types).toEqual(['inuse_objects/count', 'inuse_space/bytes']);
    expect(await json('')).toEqual([info, older]);
    expect(await json('?limit=1')).toEqual([info]);
    expect(await json('?type=cpu')).toEqual([older]);
    expect(await json('?type=heap_snapshot')).toEqual([]);
  });

  it('include heap snapshots without pprof', async () => {
    await start();
    // A real snapshot takes seconds, as the heap contains the code of all tests.
    jest
      .spyOn(core().profiling.onDemand, 'captureHeapSnapshot')
      .mockImplementation(() => lay('heap_snapshot', '{"nodes":[]}'));
    const { id } = (await (await capture('type=heap_snapshot')).json()) as ProfileInfo;
    const native = await ask(`/${id}`);
    expect(native.headers.get('content-disposition')).toContain(`${id}.heapsnapshot`);
    expect(await native.text()).toBe('{"nodes":[]}');
    const pprof = await ask(`/${id}?format=pprof`);
    expect(pprof.status).toBe(400);
    expect(await message(pprof)).toContain('received "pprof", expected native for a heap snapshot');
  });

  it.each([
    ['is malformed', '{"nodes":[]', 'The profile is malformed: '],
    [
      'holds what does not belong there',
      '{"nodes":7}',
      'The profile is malformed: Invalid profile.nodes: received 7',
    ],
    ['is too large', Buffer.alloc(64 * MB + 1, ' '), 'it has 65 MB, the limit is 64 MB'],
  ])('report that a file %s', async (_, content, expected) => {
    await start();
    const { id } = await lay('cpu', content);
    const response = await ask(`/${id}?format=pprof`);
    expect(response.status).toBe(422);
    expect(await message(response)).toContain(expected);
  });

  it('close the file of an aborted download', async () => {
    await start();
    const { id } = await lay('heap_snapshot', Buffer.alloc(32 * MB, ' '));
    const open = jest.spyOn(store(), 'open');
    const request = send('GET', url(`/${id}`), bearer);
    await once(request, 'response');
    const opened = open.mock.results[0]?.value as ReturnType<ProfileStore['open']> | undefined;
    const content = (await opened)?.content;
    expect(content?.closed).toBe(false);
    request.destroy();
    if (content !== undefined && !content.closed) await once(content, 'close');
  });

  it.each([
    ['what was never there', '20240101T000000-1-000001-abcdef'],
    ['a file above', '..%2Fsecret'],
    ['a file of another name', 'secret'],
    ['a path', '%2Fetc%2Fpasswd'],
    ['a path with a backslash', '..%5Csecret'],
    ['a zero byte', 'secret%00.cpuprofile'],
  ])('do not serve %s', async (_, id) => {
    await start();
    const { id: kept } = await lay('cpu', '{}');
    await writeFile(join(folder, 'secret'), 'a secret');
    await writeFile(join(folder, 'profiles', 'secret'), 'a secret');
    for (const path of [
      id,
      `${id}/info`,
      `${id}?format=pprof`,
      `${kept}%2F..%2F${id}`,
      `${kept}.cpuprofile`,
    ]) {
      const response = await ask(`/${path}`);
      expect(response.status).toBe(404);
      expect(await message(response)).toContain('may have been deleted to make room for newer ones');
    }
  });

  it.each([
    ['GET', '?limit=0', 'limit: received "0", expected a whole number from 1 to 1000'],
    ['GET', '?type=heap', 'type: received "heap", expected one of cpu, allocations, heap_snapshot'],
    ['GET', '/x?format=svg', 'format: received "svg", expected one of native, pprof'],
    ['POST', '?type=', 'type: received "", expected one of cpu, allocations, heap_snapshot'],
    ['POST', '?seconds=301', 'seconds: received "301", expected a whole number from 1 to 300'],
    ['POST', '?seconds=1e2', 'seconds: received "1e2", expected a whole number from 1 to 300'],
    ['POST', '?seconds=1&seconds=2', 'seconds: received an array'],
    [
      'POST',
      '?type=heap_snapshot&seconds=5',
      'seconds: received "5", expected no value with type=heap_snapshot',
    ],
  ])('reject %s %s', async (method, path, expected) => {
    await start();
    const response = await ask(path, { method });
    expect(response.status).toBe(400);
    expect(await message(response)).toContain(`Invalid query parameter ${expected}`);
    expect(await json('')).toEqual([]);
  });

  it('require access to the endpoint', async () => {
    process.env['NODE_ENV'] = 'production';
    await start();
    const { id } = await lay('cpu', '{}');
    for (const path of ['', `/${id}`, `/${id}/info`, `/${id}?format=pprof`]) {
      expect((await ask(path, { headers: {} })).status).toBe(403);
    }
    expect((await ask('?seconds=1', { headers: {}, method: 'POST' })).status).toBe(403);
    expect(await json('')).toMatchObject([{ id }]);
    expect((await capture('seconds=1')).status).toBe(201);
  });

  it('reject cross-origin captures', async () => {
    await start();
    const status = (headers: Record<string, string>): Promise<number | undefined> =>
      statusOf(send('POST', url('?seconds=1'), { ...bearer, ...headers }));
    const own = application?.url ?? '';
    expect(await status({ origin: 'https://evil.example' })).toBe(403);
    expect(await status({ origin: own.replace('127.0.0.1', 'localhost') })).toBe(403);
    expect(await status({ origin: own.replace(/\d+$/, '1') })).toBe(403);
    expect(await status({ origin: 'null' })).toBe(403);
    expect(await status({ origin: own, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await json('')).toEqual([]);
    expect(await status({ origin: own, 'sec-fetch-site': 'same-origin' })).toBe(201);
  });

  it('reject concurrent captures', async () => {
    await start();
    const request = await begin();
    expect(await message(await capture('seconds=1'))).toContain('already being captured');
    request.destroy();
  });

  it('abort the capture of a disconnected client', async () => {
    await start();
    (await begin()).destroy();
    // Otherwise it would take five minutes.
    while ((await capture('seconds=1')).status === 409);
    expect(await json('')).toMatchObject([{ type: 'cpu' }]);
    expect(await json('')).toHaveLength(1);
    expect(application?.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('finish captures early at shutdown', async () => {
    await start();
    const answered = statusOf(await begin());
    await application?.app.close();
    application = undefined;
    expect(await answered).toBe(201);
  });

  it('are not captured if the module is disabled', async () => {
    await start({ enabled: false });
    expect((await capture('seconds=1')).status).toBe(404);
    const { monitor } = application as TestApplication;
    for (const refused of [
      monitor.captureCpuProfile(),
      monitor.captureAllocationProfile({ seconds: 1 }),
      monitor.captureHeapSnapshot(),
    ])
      await expect(refused).rejects.toThrow(CaptureRefusedError);
    expect(await monitor.getProfiles()).toEqual([]);
  });

  it('are available in the service', async () => {
    await start();
    const { monitor } = application as TestApplication;
    const signal = AbortSignal.abort(new Error('not any more'));
    for (const aborted of [
      monitor.captureCpuProfile({ signal }),
      monitor.captureAllocationProfile({ signal }),
      monitor.captureHeapSnapshot({ signal }),
    ])
      await expect(aborted).rejects.toThrow('not any more');
    await expect(monitor.captureCpuProfile({ seconds: 0 })).rejects.toThrow('Invalid seconds: received 0');
    const info = await lay('cpu', '{}');
    expect(await monitor.getProfiles()).toEqual([info]);
    expect(await monitor.getProfile(info.id)).toEqual(info);
    expect(await monitor.getProfile('../secret')).toBeUndefined();
  });
});
