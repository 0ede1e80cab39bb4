import { mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MAX_REPORT_BYTES } from '../../lib/cli/endpoint-client.js';
import type { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { buildReport } from '../../lib/report/build-report.js';
import type { PerformanceReport } from '../../lib/report/report.js';
import { busyMonitor, fullSource } from '../report/full-source.js';
import { startApplication, type TestApplication } from '../support/application.js';
import { runCli } from './support/analyzing.js';

const TOKEN = 'sixteen-characters';

describe('nestjs-performance report', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-report-'));
  });
  afterEach(async () => {
    delete process.env['NESTJS_PERFORMANCE_TOKEN'];
    await rm(folder, { recursive: true, force: true });
  });

  describe('of an application', () => {
    let application: TestApplication | undefined;
    afterEach(() => application?.app.close());
    const start = async (options: PerformanceOptions = {}): Promise<string> => {
      application = await startApplication(
        'express',
        {},
        { serviceName: 'shop', baseline: { enabled: false }, ...options },
      );
      return `${application.url}/performance`;
    };

    it('writes Markdown by default, and the other formats', async () => {
      const url = await start();
      const { code, stdout, stderr } = await runCli(['report', url]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^# Performance of shop/);
      expect((await runCli(['report', '--format=html', `${url}/report.html`])).stdout).toMatch(/^<!doctype/);
      const json = await runCli(['report', '--format=json', '--since=15m', '--limit=5', `${url}/report`]);
      const { covered } = JSON.parse(json.stdout) as PerformanceReport;
      expect(Date.now() - (covered.asked ?? 0) - 900_000).toBeLessThan(60_000);
    });

    it('writes a file readable by its owner only, in the format of its extension', async () => {
      const url = await start();
      for (const [name, begins] of [
        ['report.html', /^<!doctype/],
        ['report.json', /^{"schemaVersion":1/],
        ['report.txt', /^# Performance/],
      ] as const) {
        const out = join(folder, name);
        const { code, stdout, stderr } = await runCli(['report', '--out', out, url]);
        expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: `Wrote ${out}\n` });
        expect(await readFile(out, 'utf8')).toMatch(begins);
        expect((await stat(out)).mode & 0o777).toBe(0o600);
      }
    });

    it('overwrites only regular files, and only with --force', async () => {
      const url = await start();
      const out = join(folder, 'report.md');
      await writeFile(out, 'mine');
      expect((await runCli(['report', '-o', out, url])).stderr).toContain('already exists: use --force');
      expect(await readFile(out, 'utf8')).toBe('mine');
      expect((await runCli(['report', '--force', '-o', out, url])).code).toBe(0);
      expect(await readFile(out, 'utf8')).toMatch(/^# Performance/);
      const link = join(folder, 'link');
      await symlink(out, link);
      const { code, stderr } = await runCli(['report', '--force', '-o', link, url]);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: `${link} is not a regular file: use another output file\n`,
      });
    });

    it('sends the token of the environment', async () => {
      const url = await start({ endpoint: { token: TOKEN } });
      const refused = await runCli(['report', url]);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('set the environment variable NESTJS_PERFORMANCE_TOKEN');
      process.env['NESTJS_PERFORMANCE_TOKEN'] = TOKEN;
      expect((await runCli(['report', url])).code).toBe(0);
      process.env['NESTJS_PERFORMANCE_TOKEN'] = `${TOKEN}\n`;
      const { code, stderr } = await runCli(['report', url]);
      expect(code).toBe(2);
      expect(stderr).not.toContain(TOKEN);
    });

    it('reports a missing endpoint', async () => {
      const url = await start();
      const { code, stderr } = await runCli(['report', url.replace('performance', 'elsewhere')]);
      expect(code).toBe(2);
      expect(stderr).toContain('no report endpoint at this address (404)');
    });
  });

  describe('of other servers', () => {
    let server: Server | undefined;
    afterEach(() => new Promise((resolve) => server?.close(resolve)));
    const answering = async (text: string): Promise<string> => {
      server = createServer((_request, response) => response.end(text));
      await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/performance`;
    };

    it('accepts large reports up to the limit', async () => {
      const url = await answering('x'.repeat(1_000_000));
      expect((await runCli(['report', url])).stdout).toHaveLength(1_000_001);
      await new Promise((resolve) => server?.close(resolve));
      const large = await answering('x'.repeat(MAX_REPORT_BYTES + 1));
      const { code, stderr } = await runCli(['report', large]);
      expect(code).toBe(2);
      expect(stderr).toContain(`the report exceeds ${MAX_REPORT_BYTES} bytes`);
    });

    it('escapes terminal control characters', async () => {
      const { stdout } = await runCli(['report', await answering('# a\u001b[2J\nb')]);
      expect(stdout).toBe('# a\\u001b[2J\nb\n');
    });
  });

  describe('of a file', () => {
    let monitor: PerformanceMonitor | undefined;
    let file: string;
    let saved: PerformanceReport;
    beforeEach(async () => {
      monitor = busyMonitor(50);
      saved = buildReport(fullSource(monitor));
      file = join(folder, 'saved.json');
      await writeFile(file, JSON.stringify(saved));
    });
    afterEach(() => monitor?.shutdown());

    it('converts it to other formats', async () => {
      expect((await runCli(['report', file])).stdout).toMatch(
        /^# Performance of shop 2\.0\.0\n[\s\S]*Alerts/,
      );
      expect((await runCli(['report', '--format=html', file])).stdout).toMatch(/^<!doctype/);
      expect(JSON.parse((await runCli(['report', '--format=json', file])).stdout)).toEqual(
        JSON.parse(JSON.stringify(saved)),
      );
    });

    it('rejects an invalid report', async () => {
      const refusal = async (text: string): Promise<string> => {
        await writeFile(file, text);
        const { code, stdout, stderr } = await runCli(['report', file]);
        expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
        return stderr;
      };
      expect(await refusal('nonsense')).toContain('received "nonsense", expected JSON');
      expect(await refusal('[]')).toContain('contains no valid report: received an array');
      expect(await refusal(JSON.stringify({ ...saved, slow: 3 }))).toContain('slow: received 3, expected');
      expect(await refusal(JSON.stringify({ ...saved, schemaVersion: 2 }))).toContain(
        'contains a report of version 2, newer than 1',
      );
      await truncate(file, MAX_REPORT_BYTES + 1);
      expect((await runCli(['report', file])).stderr).toContain(`exceeds ${MAX_REPORT_BYTES} bytes`);
      expect((await runCli(['report', folder])).stderr).toContain('is not a regular file');
    });

    it('rejects --since', async () => {
      const { code, stderr } = await runCli(['report', '--since=1h', file]);
      expect(code).toBe(2);
      expect(stderr).toContain('Invalid --since: not applicable to a file');
    });
  });

  it.each([
    [[], 'Missing URL or FILE'],
    [['a', 'b'], 'Unexpected argument "b"'],
    [['--format=xml', 'a'], 'Invalid --format: received "xml", expected one of json, md, html'],
    [['--since=yesterday', 'http://localhost/a'], 'Invalid --since: received "yesterday"'],
    [['--limit=101', 'http://localhost/a'], 'Invalid --limit: received "101", expected a whole number'],
    [['http://a:b@localhost/performance'], 'Invalid URL: received credentials'],
    [['/nowhere/report.json'], 'could not be read: ENOENT: no such file'],
    [['--out=/nowhere/a', '/nowhere/report.json'], '/nowhere/a could not be written'],
  ])('rejects %j', async (args, message) => {
    const { code, stderr, stdout } = await runCli(['report', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('documents its exit codes in its help', async () => {
    expect((await runCli(['report', '--help'])).stdout).toContain('Exit codes: 0 the report was written');
    expect((await runCli(['compare', '--help'])).stdout).toContain('Exit codes: 0 no regression');
  });
});
