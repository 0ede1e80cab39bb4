import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BaselineEntry } from '../../lib/baseline/baseline-snapshot.js';
import { FileBaselineStore } from '../../lib/baseline/file-store.js';
import type { ReleaseVerdict } from '../../lib/baseline/release-verdict.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { memoryOf } from '../baseline/programs/process-memories.js';
import { type ReleaseBehaviour, releaseEntry } from '../baseline/programs/release-entries.js';
import { HOUR, START } from '../baseline/programs/simulated-windows.js';
import { snapshot } from '../baseline/programs/snapshots.js';
import { startApplication, type TestApplication } from '../support/application.js';
import { runCli } from './support/analyzing.js';

const TOKEN = 'sixteen-characters';
const RELEASED = START + 10 * HOUR;

describe('nestjs-performance release', () => {
  let directory: string;
  let applications: TestApplication[] = [];
  let server: Server | undefined;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nestjs-performance-release-'));
  });
  afterEach(async () => {
    delete process.env['NESTJS_PERFORMANCE_TOKEN'];
    server?.close();
    for (const { app } of applications) await app.close();
    applications = [];
    await rm(directory, { recursive: true, force: true });
  });

  const start = async (options: PerformanceOptions = {}): Promise<TestApplication> => {
    const given = { serviceName: 'shop', serviceVersion: '2.0.0', baseline: { directory }, ...options };
    const application = await startApplication('express', {}, given);
    applications.push(application);
    return application;
  };
  const saved = (version: string, savedAt: number, ...operations: BaselineEntry[]): Promise<boolean> =>
    new FileBaselineStore(directory, () => {}).save(
      snapshot({ version, instance: `host-${version}`, startedAt: savedAt - HOUR, savedAt, operations }),
    );
  const before: ReleaseBehaviour = { startedAt: RELEASED - 2 * HOUR, minutes: 120 };
  const released = async (after: Partial<ReleaseBehaviour>): Promise<string> => {
    const later = { startedAt: RELEASED, minutes: 60, seed: 2, ...after };
    await saved('1.0.0', RELEASED, releaseEntry('GET /a', before));
    await saved('2.0.0', RELEASED + HOUR, releaseEntry('GET /a', later));
    return `${(await start()).url}/performance`;
  };

  it.each<[string, number, Partial<ReleaseBehaviour>]>([
    ['worse', 1, { medianMs: 170 }],
    ['better', 0, { medianMs: 60 }],
    ['not enough data', 3, { minutes: 4 }],
  ])('of a version that is %s ends with %d', async (verdict, expected, after) => {
    const url = await released(after);
    const { code, stdout, stderr } = await runCli(['release', url]);
    expect(code).toBe(expected);
    expect(stdout).toMatch(new RegExp(`^# shop: ${verdict}\n`));
    expect(stderr).toMatch(/^Version 2\.0\.0 (is|has) .+1\.0\.0.+\.\n$/);
    const json = await runCli(['release', '--format', 'json', `${url}/release`]);
    expect(json.code).toBe(expected);
    expect((JSON.parse(json.stdout) as ReleaseVerdict).verdict).toBe(verdict);
    const allowed = await runCli(['release', '--allow-not-enough-data', url]);
    expect(allowed.code).toBe(expected === 3 ? 0 : expected);
  });

  it('of a version that is the same ends with 0', async () => {
    // A rolling release: both run at the same time.
    const both = { startedAt: RELEASED, minutes: 120, perMinute: 1000 };
    await saved('1.0.0', RELEASED + 2 * HOUR, releaseEntry('GET /a', both));
    await saved('2.0.0', RELEASED + 2 * HOUR + 1, releaseEntry('GET /a', { ...both, seed: 2 }));
    const { code, stderr } = await runCli(['release', `${(await start()).url}/performance`]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr:
        'Version 2.0.0 is the same as 1.0.0: for each main operation, the interval excludes a change that matters.\n',
    });
  });

  it('compares with another version, and names those that there are', async () => {
    const url = await released({ medianMs: 170 });
    await saved('0.9.0', RELEASED - 3 * HOUR, releaseEntry('GET /a', { ...before, medianMs: 170 }));
    expect((await runCli(['release', '--since', '1.0.0', url])).code).toBe(1);
    expect((await runCli(['release', '--since', '0.9.0', url])).code).toBe(3);
    const { code, stderr } = await runCli(['release', '--since', '3', url]);
    expect(code).toBe(2);
    expect(stderr).toContain('Invalid version: received "3", expected one of 1.0.0, 0.9.0');
  });

  it('compares a canary with its sibling at the same time', async () => {
    const [canary, stable] = [await start(), await start({ serviceVersion: '1.0.0' })];
    const learned = ({ app }: TestApplication, version: string, behaviour: ReleaseBehaviour): void => {
      const operations = [releaseEntry('GET /a', behaviour)];
      app.get(PerformanceMonitor).baselineSnapshot = () => snapshot({ version, operations });
    };
    const urls = [canary, stable].map(({ url }) => `${url}/performance`) as [string, string];
    const [of, beside] = urls;
    // What the sibling was like before is left out.
    learned(stable, '1.0.0', { startedAt: RELEASED - HOUR, minutes: 120, medianMs: 100 });
    learned(canary, '2.0.0', { startedAt: RELEASED, minutes: 60, medianMs: 170, seed: 2 });
    const worse = await runCli(['release', of, '--beside', beside]);
    expect(worse.code).toBe(1);
    expect(worse.stdout).toMatch(/compared with 1\.0\.0 \(1800 executions .+\), at the same time\./);
    // Both got slower at the same time: it is not the release.
    learned(stable, '1.0.0', { startedAt: RELEASED, minutes: 60, medianMs: 170 });
    expect((await runCli(['release', of, '--beside', beside])).code).toBe(3);
    // They never ran at the same time.
    learned(stable, '1.0.0', { startedAt: RELEASED - 2 * HOUR, minutes: 60 });
    const apart = await runCli(['release', of, '--beside', beside]);
    expect(apart.code).toBe(3);
    expect(apart.stdout).toContain('not enough data');
  });

  it('of a canary that holds more memory than its sibling held at its age ends with 1', async () => {
    const [canary, stable] = [await start(), await start({ serviceVersion: '1.0.0' })];
    const learned = ({ app }: TestApplication, version: string, minutes: number, heapMb: number): void => {
      const operations = [releaseEntry('GET /a', { startedAt: RELEASED, minutes: 60 })];
      const memory = memoryOf({
        startedAt: RELEASED + (60 - minutes) * 60_000,
        minutes,
        heapMb,
        seed: minutes,
      });
      app.get(PerformanceMonitor).baselineSnapshot = () => snapshot({ version, operations, memory });
    };
    const [of, beside] = [canary, stable].map(({ url }) => `${url}/performance`) as [string, string];
    learned(stable, '1.0.0', 300, 80);
    learned(canary, '2.0.0', 60, 180);
    const worse = await runCli(['release', of, '--beside', beside]);
    expect(worse.code).toBe(1);
    expect(worse.stdout).toContain('| worse | the process | 1 / 1 processes | heap after collections ');
    learned(canary, '2.0.0', 60, 80);
    expect((await runCli(['release', of, '--beside', beside])).code).toBe(0);
  });

  it('requires the token, and does not accept another answer as a verdict', async () => {
    const { url } = await start({ endpoint: { token: TOKEN } });
    expect((await runCli(['release', `${url}/performance`])).code).toBe(2);
    process.env['NESTJS_PERFORMANCE_TOKEN'] = TOKEN;
    expect((await runCli(['release', `${url}/performance`])).code).toBe(3);
    for (const [answer, reason] of [
      ['{}', 'the response is not a verdict'],
      ['{"verdict":"same"}', 'the response is not a verdict'],
      ['{"verdict":"constructor","explanation":""}', 'the response is not a verdict'],
      ['{"verdict":"same","explanation":"a"}', 'another version of nestjs-performance'],
    ] as const) {
      server?.close();
      server = createServer((_request, response) => response.end(answer)).listen(0);
      const { port } = server.address() as AddressInfo;
      const { code, stderr } = await runCli(['release', `http://127.0.0.1:${port}`]);
      expect(code).toBe(2);
      expect(stderr).toContain(reason);
    }
  });

  it.each([
    [['release'], 'Missing URL'],
    [['release', 'shop'], 'Invalid URL: received "shop"'],
    [['release', 'http://a/performance', 'http://b'], 'Unexpected argument "http://b"'],
    [
      ['release', 'http://a', '--format', 'text'],
      'Invalid --format: received "text", expected one of md, json',
    ],
    [['release', 'http://a', '--beside', 'b'], 'Invalid URL: received "b"'],
    [['release', 'http://a', '--beside', 'http://b', '--since', '1'], 'Invalid --since'],
    [['release', 'http://127.0.0.1:1'], 'connection refused'],
    [['release', 'http://127.0.0.1:1', '--beside', 'http://127.0.0.1:1'], 'http://127.0.0.1:1/baseline: '],
  ])('refuses %j', async (args, reason) => {
    const { code, stderr } = await runCli(args);
    expect(code).toBe(2);
    expect(stderr).toContain(reason);
  });
});
