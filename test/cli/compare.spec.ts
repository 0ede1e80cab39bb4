import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeSnapshot } from '../../lib/baseline/baseline-format.js';
import { FileBaselineStore } from '../../lib/baseline/file-store.js';
import { entry, snapshot } from '../baseline/programs/snapshots.js';
import { runCli } from './support/analyzing.js';

const TOKEN = 'sixteen-characters';
const before = snapshot({ operations: [entry('GET /a', 10, 2000), entry('GET /b', 5, 500)] });
const after = snapshot({
  version: '2.0.0',
  savedAt: 9_000,
  instance: 'host-2-bb',
  operations: [entry('GET /a', 16, 2000), entry('GET /b', 5, 500)],
});

describe('nestjs-performance compare', () => {
  let folder: string;
  let one: string;
  let other: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-compare-'));
    one = join(folder, 'before.baseline');
    other = join(folder, 'after.baseline');
    await writeFile(one, await encodeSnapshot(before));
    await writeFile(other, await encodeSnapshot(after));
  });
  afterEach(async () => {
    delete process.env['NESTJS_PERFORMANCE_TOKEN'];
    await rm(folder, { recursive: true, force: true });
  });

  it('finds regressions with their size', async () => {
    const { code, stdout, stderr } = await runCli(['compare', one, other]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(
      /^slower {5}http GET \/a: latency \+60 % \(\+35.3 to \+89.2\), 10 to 16 ms, p .*\nno change {2}http GET \/b/,
    );
    expect(stdout).toMatch(/\n1 slower, 1 no change\n$/);
  });

  it('fails if nothing can be compared', async () => {
    const short = join(folder, 'short.baseline');
    await writeFile(short, await encodeSnapshot({ ...after, operations: [entry('GET /a', 1000, 20)] }));
    const { code, stderr } = await runCli(['compare', one, short]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('let the applications learn for longer'),
    });
    await writeFile(short, await encodeSnapshot({ ...after, operations: [] }));
    expect((await runCli(['compare', one, short])).code).toBe(2);
    expect((await runCli(['compare', '--fail-on=never', one, short])).code).toBe(0);
  });

  it('finds no regression between equal baselines, or from slower to faster', async () => {
    const copy = join(folder, 'copy.baseline');
    await writeFile(copy, await encodeSnapshot(before));
    expect((await runCli(['compare', one, copy])).code).toBe(0);
    expect((await runCli(['compare', other, one])).code).toBe(0);
    expect((await runCli(['compare', '--fail-on=any', other, one])).code).toBe(1);
    expect((await runCli(['compare', '--fail-on=never', one, other])).code).toBe(0);
    expect((await runCli(['compare', '--min-effect=80', one, other])).code).toBe(0);
  });

  it('writes JSON, and Markdown with escaped names', async () => {
    const json = await runCli(['compare', '--format=json', one, other]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      beforeVersion: '1.0.0',
      afterVersion: '2.0.0',
      counts: { slower: 1 },
    });
    await writeFile(one, await encodeSnapshot(snapshot({ operations: [entry('GET /|<b>\u001b')] })));
    const { stdout } = await runCli(['compare', '--format=markdown', one, other]);
    expect(stdout).toContain('http GET /\\|&lt;b&gt;');
    expect(stdout).not.toContain('\u001b');
  });

  it('compares two versions in one directory', async () => {
    const directory = join(folder, 'kept');
    const store = new FileBaselineStore(directory, () => {});
    await store.save(before);
    await store.save(after);
    expect((await runCli(['compare', directory, directory])).code).toBe(1);
    const versions = ['--before-version=2.0.0', '--after-version=1.0.0'];
    expect((await runCli(['compare', ...versions, directory, directory])).stdout).toMatch(/^faster/);
    const { code, stderr } = await runCli(['compare', '--before-version=3', directory, directory]);
    expect(code).toBe(2);
    expect(stderr).toContain('contains no version "3": expected one of 2.0.0, 1.0.0');
  });

  it('downloads the baseline of an application with the token', async () => {
    const server: Server = createServer((request, response) => {
      const allowed = request.headers.authorization === `Bearer ${TOKEN}`;
      response.statusCode = allowed ? 200 : 401;
      void encodeSnapshot(after).then((text) => response.end(allowed ? text : ''));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/performance/baseline`;
      const refused = await runCli(['compare', one, url]);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('access denied (401)');
      process.env['NESTJS_PERFORMANCE_TOKEN'] = TOKEN;
      expect((await runCli(['compare', one, url])).code).toBe(1);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it.each([
    [[], 'Missing BEFORE'],
    [['a'], 'Missing AFTER'],
    [['a', 'b', 'c'], 'Unexpected argument "c"'],
    [['--alpha=2', 'a', 'b'], 'Invalid --alpha: received "2", expected a number from 0 to 1'],
    [['--format=xml', 'a', 'b'], 'Invalid --format: received "xml"'],
    [['--fail-on=x', 'a', 'b'], 'Invalid --fail-on: received "x"'],
    [['/nowhere/a', '/nowhere/b'], 'no such file'],
  ])('rejects %j', async (args, message) => {
    const { code, stderr, stdout } = await runCli(['compare', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('rejects an invalid file', async () => {
    await writeFile(one, 'nonsense');
    const { code, stderr } = await runCli(['compare', one, other]);
    expect(code).toBe(2);
    expect(stderr).toContain('cannot be compared: it is not a baseline');
  });
});
