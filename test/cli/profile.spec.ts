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

    it('writes the profile to the current directory, readable by its owner only', async () => {
      const { code, stdout, stderr } = await profile('--seconds', '1');
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      const [name = '', ...others] = await files();
      expect(others).toEqual([]);
      expect(name).toMatch(new RegExp(`^${ID}\\.cpuprofile$`));
      expect(stderr).toMatch(
        new RegExp(
          `^Capturing cpu for 1 s\\. .*\n${name}: CPU profile, [\\d.]+ s, \\d+ samples, .*B\nOpen with: .*DevTools, Performance.*\n$`,
        ),
      );
      expect((await lstat(name)).mode & 0o777).toBe(0o600);
      expect(JSON.parse(await readFile(name, 'utf8'))).toMatchObject({ nodes: expect.any(Array) });
    });

    it('writes pprof and other profile types', async () => {
      const { code, stderr } = await profile(
        ...['--type', 'allocations', '--seconds=1', '--format=pprof', '-o', 'a.pb.gz'],
      );
      expect({ code, files: await files() }).toEqual({ code: 0, files: ['a.pb.gz'] });
      expect(gunzipSync(await readFile('a.pb.gz')).toString('latin1')).toContain('inuse_space');
      expect(stderr).toContain('a.pb.gz: allocation profile, ');
      expect(stderr).toContain('go tool pprof -http=: a.pb.gz');
    });

    it('writes only the profile to stdout', async () => {
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

    it('overwrites only regular files, and only with --force', async () => {
      await writeFile('old', 'old', { mode: 0o644 });
      await symlink('old', 'link');
      const count = await captured();
      for (const [args, reason] of [
        [['-o', 'old'], 'old already exists: use --force to overwrite it'],
        [['-o', '.', '--force'], '. is not a regular file: use another output file'],
        [['-o', 'link', '--force'], 'link is not a regular file: use another output file'],
        [['-o', 'none/file'], 'none/file could not be written: no such file or directory'],
      ] as const)
        expect(await profile('--seconds', '1', ...args)).toEqual({
          code: 2,
          stdout: '',
          stderr: `${reason}\n`,
        });
      // Checked before the capture.
      expect(await captured()).toBe(count);
      expect(await readFile('old', 'utf8')).toBe('old');
      expect((await profile('--seconds', '1', '-o', 'old', '--force')).code).toBe(0);
      expect(JSON.parse(await readFile('old', 'utf8'))).toMatchObject({ nodes: expect.any(Array) });
      expect((await lstat('old')).mode & 0o777).toBe(0o600);
      expect((await files()).sort()).toEqual(['link', 'old']);
    });

    it.each([
      ['another-characters', 'check that NESTJS_PERFORMANCE_TOKEN is the application’s endpoint.token'],
      ['', 'set the environment variable NESTJS_PERFORMANCE_TOKEN to the application’s endpoint.token'],
    ])('gives advice for the token %j', async (token, advice) => {
      process.env['NESTJS_PERFORMANCE_TOKEN'] = token;
      const { code, stderr } = await profile('--seconds', '1');
      expect(code).toBe(2);
      expect(stderr).toContain('access denied (403');
      expect(stderr.replaceAll("'", '’')).toContain(advice);
      expect(stderr).not.toContain('another-characters');
    });

    it('reports a missing endpoint', async () => {
      const url = `${application.url}/elsewhere`;
      expect(await runCli(['profile', url])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`${url}: no profiles endpoint at this address (404)`),
      });
    });

    it('reports why the application refuses', async () => {
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

  describe('on other servers', () => {
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

    it('reports a refused connection', async () => {
      const { port } = await new Promise<AddressInfo>((resolve) => {
        const gone = createServer().listen(0, '127.0.0.1', () => {
          const address = gone.address() as AddressInfo;
          gone.close(() => resolve(address));
        });
      });
      for (const host of ['127.0.0.1', 'localhost'])
        expect((await runCli(['profile', `http://${host}:${port}/performance`])).stderr).toContain(
          `http://${host}:${port}/performance: connection refused: check that the application is running`,
        );
    });

    it.each([
      [201, 'not JSON', 'the response is not the metadata of a profile'],
      [201, description('../../evil'), 'the response is not the metadata of a profile'],
      [201, `"${'x'.repeat(1e6)}"`, 'the response is not the metadata of a profile'],
      [200, '{}', 'the application responded with 200'],
      [302, '', 'the application responded with 302'],
      [
        503,
        JSON.stringify({ message: 'no \u001b[31mroom' }),
        'the application responded with 503: no \\u001b[31mroom',
      ],
      [400, '{"message":"seconds is 1"}', ': seconds is 1'],
    ])('writes nothing for a response %d', async (status, body, reason) => {
      const { code, stderr } = await profile((request, response) => {
        request.resume();
        response.writeHead(status, { location: 'https://evil.example' }).end(body);
      });
      expect({ code, files: await files() }).toEqual({ code: 2, files: [] });
      expect(stderr).toContain(reason);
    });

    it('sends the token, and no seconds for a heap snapshot', async () => {
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
      expect(stderr).toContain('may contain secrets');
    });

    it('leaves no partial file, and prints the address of the profile', async () => {
      const id = newProfileId();
      const { code, stderr } = await profile((request, response) => {
        if (request.method === 'POST') response.writeHead(201).end(description(id));
        else response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy());
      });
      expect({ code, files: await files() }).toEqual({ code: 2, files: [] });
      expect(stderr).toContain('the connection was closed before the response was complete');
      expect(stderr).toMatch(new RegExp(`still stores the profile: .*/performance/profiles/${id}\n$`));
    });
  });

  it.each([
    [[], 'Missing URL: expected the address of the endpoint, such as http://localhost:3000/performance'],
    [['http://a/performance', 'x'], 'Unexpected argument "x": expected one URL'],
    [['localhost:3000'], 'Invalid URL: received "localhost:3000", expected the address of the endpoint'],
    [['http://me:secret@a/'], 'Invalid URL: received credentials, expected'],
    [['http://a/?token=1'], 'Invalid URL: received "http://a/" with a query or fragment'],
    [['http://a', '--type', 'heap'], 'Invalid --type: received "heap", expected one of cpu, allocations,'],
    [
      ['http://a', '--seconds', '0'],
      'Invalid --seconds: received "0", expected a whole number from 1 to 300',
    ],
    [['http://a', '--seconds=1.5'], 'Invalid --seconds: received "1.5"'],
    [['http://a', '--format', 'svg'], 'Invalid --format: received "svg", expected one of native, pprof'],
    [
      ['http://a', '--type=heap_snapshot', '--format=pprof'],
      'Invalid --format: received "pprof", expected native with',
    ],
    [
      ['http://a', '--type=heap_snapshot', '--seconds=5'],
      'Invalid --seconds: received "5", expected no value with',
    ],
  ])('rejects %j', async (args, message) => {
    const { code, stdout, stderr } = await runCli(['profile', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`nestjs-performance profile: ${message}`);
    expect(stderr).not.toContain('secret');
  });

  it('does not print an invalid token', async () => {
    process.env['NESTJS_PERFORMANCE_TOKEN'] = 'a secret\n';
    const { code, stderr } = await runCli(['profile', 'http://localhost:1/performance']);
    expect(code).toBe(2);
    expect(stderr).toContain('Invalid NESTJS_PERFORMANCE_TOKEN: received spaces');
    expect(stderr).not.toContain('a secret');
  });

  it('documents the environment variable of the token in its help', async () => {
    const { code, stdout } = await runCli(['profile', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('environment variable NESTJS_PERFORMANCE_TOKEN');
    expect(stdout).toContain('never read from\nthe command line');
  });
});
