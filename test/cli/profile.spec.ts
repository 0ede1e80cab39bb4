import { once } from 'node:events';
import { lstat, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newProfileId } from '../../lib/profiling/profile-names.js';
import { startApplication, type TestApplication } from '../support/application.js';
import { type Ran, runCli } from './support/analyzing.js';

const TOKEN = 'sixteen-characters';
const ID = String.raw`\d{8}T\d{6}-\d+-\d+-[0-9a-f]{6}`;

describe('nestjs-performance profile', () => {
  let folder: string;
  const before = process.cwd();
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'nestjs-performance-profile-')));
    await mkdir(join(folder, 'here'));
    process.chdir(join(folder, 'here'));
    process.env['NESTJS_PERFORMANCE_TOKEN'] = TOKEN;
  });
  afterEach(async () => {
    process.chdir(before);
    delete process.env['NESTJS_PERFORMANCE_TOKEN'];
    await rm(folder, { recursive: true, force: true });
  });
  const files = (): Promise<string[]> => readdir('.');

  describe('on an application', () => {
    let application: TestApplication;
    let directory: string;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'nestjs-performance-profiles-'));
      const options = { endpoint: { token: TOKEN }, profiling: { directory: join(directory, 'profiles') } };
      application = await startApplication('express', {}, options);
    });
    afterAll(async () => {
      await application.app.close();
      await rm(directory, { recursive: true, force: true });
    });
    const profile = (...args: string[]): Promise<Ran> =>
      runCli(['profile', `${application.url}/performance`, ...args]);
    const captured = async (): Promise<number> => (await application.monitor.getProfiles()).length;

    it('writes what it captured into this directory, for its owner alone', async () => {
      const { code, stdout, stderr } = await profile('--seconds', '1');
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      const [name = '', ...others] = await files();
      expect(others).toEqual([]);
      expect(name).toMatch(new RegExp(`^${ID}\\.cpuprofile$`));
      expect(stderr).toMatch(
        new RegExp(
          `^Capturing cpu for 1 s\\. .*\n${name}: CPU profile, [\\d.]+ s, \\d+ samples, .*B\nOpen it: .*DevTools, Performance.*\n$`,
        ),
      );
      expect((await lstat(name)).mode & 0o777).toBe(0o600);
      expect(JSON.parse(await readFile(name, 'utf8'))).toMatchObject({ nodes: expect.any(Array) });
    });

    it('writes pprof, and other types', async () => {
      const { code, stderr } = await profile(
        ...['--type', 'allocations', '--seconds=1', '--format=pprof', '-o', 'a.pb.gz'],
      );
      expect({ code, files: await files() }).toEqual({ code: 0, files: ['a.pb.gz'] });
      expect(gunzipSync(await readFile('a.pb.gz')).toString('latin1')).toContain('inuse_space');
      expect(stderr).toContain('a.pb.gz: profile of allocations, ');
      expect(stderr).toContain('go tool pprof -http=: a.pb.gz');
    });

    it('writes to stdout, and nothing else there', async () => {
      const { code, stdout } = await profile('--seconds', '1', '--output', '-');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ nodes: expect.any(Array) });
      expect(await files()).toEqual([]);
      expect(await runCli(['profile', `${application.url}/performance`, '-o', '-'], '', true)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('stdout is a terminal'),
      });
    });

    it('overwrites a file when it is told to, and nothing but a file', async () => {
      await writeFile('old', 'old', { mode: 0o644 });
      await symlink('old', 'link');
      const count = await captured();
      for (const [args, reason] of [
        [['-o', 'old'], 'old exists already: give --force to overwrite it'],
        [['-o', '.', '--force'], '. is no regular file: give another one to --output'],
        [['-o', 'link', '--force'], 'link is no regular file: give another one to --output'],
        [['-o', 'none/file'], 'none/file could not be written: no such file or directory'],
      ] as const)
        expect(await profile('--seconds', '1', ...args)).toEqual({
          code: 2,
          stdout: '',
          stderr: `${reason}\n`,
        });
      // Nobody waited in vain.
      expect(await captured()).toBe(count);
      expect(await readFile('old', 'utf8')).toBe('old');
      expect((await profile('--seconds', '1', '-o', 'old', '--force')).code).toBe(0);
      expect(JSON.parse(await readFile('old', 'utf8'))).toMatchObject({ nodes: expect.any(Array) });
      expect((await lstat('old')).mode & 0o777).toBe(0o600);
      expect((await files()).sort()).toEqual(['link', 'old']);
    });

    it.each([
      ['another-characters', 'is NESTJS_PERFORMANCE_TOKEN the application’s endpoint.token?'],
      ['', 'set the environment variable NESTJS_PERFORMANCE_TOKEN to the application’s endpoint.token'],
    ])('says what the token %j lacks', async (token, advice) => {
      process.env['NESTJS_PERFORMANCE_TOKEN'] = token;
      const { code, stderr } = await profile('--seconds', '1');
      expect(code).toBe(2);
      expect(stderr).toContain('not allowed (403');
      expect(stderr.replaceAll("'", '’')).toContain(advice);
      expect(stderr).not.toContain('another-characters');
    });

    it('says that there is no endpoint', async () => {
      const url = `${application.url}/elsewhere`;
      expect(await runCli(['profile', url])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`${url}: there is no endpoint with profiles at that address (404)`),
      });
    });

    it('says why the application refuses', async () => {
      const abort = new AbortController();
      const running = application.monitor.captureCpuProfile({ seconds: 300, signal: abort.signal });
      const { code, stderr } = await profile('--seconds', '1');
      abort.abort();
      await expect(running).rejects.toThrow();
      expect(code).toBe(2);
      expect(stderr).toMatch(/\/performance: A CPU profile is already being captured. .*\n$/);
      expect(await files()).toEqual([]);
    });
  });

  describe('on what may be there instead', () => {
    let server: Server | undefined;
    afterEach(async () => {
      server?.closeAllConnections();
      server?.close();
      server = undefined;
    });
    const profile = async (listener: RequestListener, ...args: string[]): Promise<Ran> => {
      server = createServer(listener).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      return runCli(['profile', `http://127.0.0.1:${port}/performance/`, ...args]);
    };
    const description = (id = newProfileId()): string =>
      JSON.stringify({ id, type: 'heap_snapshot', durationMs: 9 });

    it('says that nobody is there', async () => {
      const { port } = await new Promise<AddressInfo>((resolve) => {
        const gone = createServer().listen(0, '127.0.0.1', () => {
          const address = gone.address() as AddressInfo;
          gone.close(() => resolve(address));
        });
      });
      for (const host of ['127.0.0.1', 'localhost'])
        expect((await runCli(['profile', `http://${host}:${port}/performance`])).stderr).toContain(
          `http://${host}:${port}/performance: connection refused: does the application run there?`,
        );
    });

    it.each([
      [201, 'not JSON', 'the answer is not the description of a profile'],
      [201, description('../../evil'), 'the answer is not the description of a profile'],
      [201, `"${'x'.repeat(1e6)}"`, 'the answer is not the description of a profile'],
      [200, '{}', 'the application answered 200'],
      [302, '', 'the application answered 302'],
      [
        503,
        JSON.stringify({ message: 'no \u001b[31mroom' }),
        'the application answered 503: no \\u001b[31mroom',
      ],
      [400, '{"message":"seconds is 1"}', ': seconds is 1'],
    ])('writes nothing for an answer %d', async (status, body, reason) => {
      const { code, stderr } = await profile((request, response) => {
        request.resume();
        response.writeHead(status, { location: 'https://evil.example' }).end(body);
      });
      expect({ code, files: await files() }).toEqual({ code: 2, files: [] });
      expect(stderr).toContain(reason);
    });

    it('asks as it is told to, with the token and without seconds for a snapshot', async () => {
      const asked: (string | undefined)[] = [];
      const id = newProfileId();
      const { code, stderr } = await profile((request, response) => {
        asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
        if (request.method === 'POST') response.writeHead(201).end(description(id));
        else response.end('{}');
      }, '--type=heap_snapshot');
      expect({ code, files: await files() }).toEqual({ code: 0, files: [`${id}.heapsnapshot`] });
      expect(asked).toEqual([
        `POST /performance/profiles?type=heap_snapshot Bearer ${TOKEN}`,
        `GET /performance/profiles/${id}?format=native Bearer ${TOKEN}`,
      ]);
      expect(stderr).toContain('It may hold secrets');
    });

    it('leaves no half of a file, and says where the whole is', async () => {
      const id = newProfileId();
      const { code, stderr } = await profile((request, response) => {
        if (request.method === 'POST') response.writeHead(201).end(description(id));
        else response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy());
      });
      expect({ code, files: await files() }).toEqual({ code: 2, files: [] });
      expect(stderr).toContain('the connection was closed before the answer was complete');
      expect(stderr).toMatch(new RegExp(`keeps the profile for now: .*/performance/profiles/${id}\n$`));
    });
  });

  it.each([
    [[], 'no URL is given: give the address of the endpoint, such as http://localhost:3000/performance'],
    [['http://a/performance', 'x'], '"x" is given after URL: give one URL'],
    [['localhost:3000'], 'URL is "localhost:3000", which is not allowed: give the address of the endpoint'],
    [['http://me:secret@a/'], 'URL holds a name or a password, which is not allowed'],
    [['http://a/?token=1'], 'URL is "http://a/?token=1", with a query or a fragment'],
    [['http://a', '--type', 'heap'], '--type is "heap", which is not allowed: give one of cpu, allocations,'],
    [
      ['http://a', '--seconds', '0'],
      '--seconds is "0", which is not allowed: give a whole number from 1 to 300',
    ],
    [['http://a', '--seconds=1.5'], '--seconds is "1.5", which is not allowed'],
    [['http://a', '--format', 'svg'], '--format is "svg", which is not allowed: give one of native, pprof'],
    [
      ['http://a', '--type=heap_snapshot', '--format=pprof'],
      '--format is "pprof", which is not allowed with',
    ],
    [['http://a', '--type=heap_snapshot', '--seconds=5'], '--seconds is "5", which is not allowed with'],
  ])('says what is wrong with %j', async (args, message) => {
    const { code, stdout, stderr } = await runCli(['profile', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`nestjs-performance profile: ${message}`);
    expect(stderr).not.toContain('secret');
  });

  it('does not show a token that is none', async () => {
    process.env['NESTJS_PERFORMANCE_TOKEN'] = 'a secret\n';
    const { code, stderr } = await runCli(['profile', 'http://localhost:1/performance']);
    expect(code).toBe(2);
    expect(stderr).toContain('NESTJS_PERFORMANCE_TOKEN holds spaces');
    expect(stderr).not.toContain('a secret');
  });

  it('says in its help that the token is no argument', async () => {
    const { code, stdout } = await runCli(['profile', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('environment variable NESTJS_PERFORMANCE_TOKEN');
    expect(stdout).toContain('never from the command line');
  });
});
