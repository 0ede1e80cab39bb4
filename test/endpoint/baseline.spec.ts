import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeSnapshot } from '../../lib/baseline/baseline-format.js';
import type { BaselineSnapshot } from '../../lib/baseline/baseline-snapshot.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { Answer } from '../../lib/nest/endpoint/answer.js';
import { createBaselineController } from '../../lib/nest/endpoint/baseline.controller.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { entry, snapshot } from '../baseline/programs/snapshots.js';
import { runCli } from '../cli/support/analyzing.js';
import { PLATFORMS, startApplication, type TestApplication } from '../support/application.js';

const TOKEN = 'sixteen-characters';

describe.each(PLATFORMS)('the endpoint of the baseline on %s', (platform) => {
  let application: TestApplication | undefined;
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nestjs-performance-baseline-'));
  });
  afterEach(async () => {
    delete process.env['NESTJS_PERFORMANCE_TOKEN'];
    await application?.app.close();
    application = undefined;
    await rm(directory, { recursive: true, force: true });
  });

  const start = async (options: PerformanceOptions = {}): Promise<PerformanceMonitor> => {
    application = await startApplication(
      platform,
      {},
      { serviceName: 'shop', serviceVersion: '2.0.0', baseline: { directory }, ...options },
    );
    return application.app.get(PerformanceMonitor);
  };
  const url = (): string => `${application?.url}/performance/baseline`;
  /** Sets a learned baseline, as learning takes minutes. */
  const learned = (monitor: PerformanceMonitor, ...operations: BaselineSnapshot['operations']): void => {
    monitor.baselineSnapshot = () => snapshot({ version: '2.0.0', operations });
  };

  it('returns the saved format', async () => {
    await start();
    const response = await fetch(url());
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const { service, version, operations } = decodeSnapshot(await response.text());
    expect({ service, version, operations }).toEqual({ service: 'shop', version: '2.0.0', operations: [] });
  });

  it('returns the input of the compare command', async () => {
    const monitor = await start({ endpoint: { token: TOKEN } });
    learned(monitor, entry('GET /a', 16, 2000), entry('GET /b', 5, 500));
    const before = join(directory, 'before.baseline');
    await writeFile(before, await (await fetch(url(), { headers: bearer() })).text());
    process.env['NESTJS_PERFORMANCE_TOKEN'] = TOKEN;
    expect((await runCli(['compare', before, url()])).code).toBe(0);
    learned(monitor, entry('GET /a', 30, 2000), entry('GET /b', 5, 500));
    const { code, stdout } = await runCli(['compare', before, url()]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^slower {5}http GET \/a: latency \+8\d/);
  });

  it('shares one encoding between concurrent requests', async () => {
    const monitor = await start();
    let made = 0;
    monitor.baselineSnapshot = () => {
      made++;
      return snapshot();
    };
    const controller: { baseline(): Promise<Answer> } = new (createBaselineController('performance'))(
      monitor,
    );
    const ask = async (): Promise<unknown> => (await controller.baseline()).body;
    const [one, other] = await Promise.all([ask(), ask()]);
    expect([made, one === other]).toEqual([1, true]);
    await ask();
    expect(made).toBe(2);
  });

  it('recovers from a failed encoding', async () => {
    const monitor = await start();
    monitor.baselineSnapshot = () => {
      throw new Error('no memory');
    };
    expect((await fetch(url())).status).toBe(500);
    learned(monitor, entry('GET /a'));
    expect((await fetch(url())).status).toBe(200);
  });

  it('returns 404 if the baseline is disabled', async () => {
    await start({ baseline: { enabled: false } });
    const response = await fetch(url());
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('the option baseline.enabled is false');
  });

  it('requires access to the endpoint', async () => {
    await start();
    for (const [name, value] of [
      ['x-forwarded-for', '10.0.0.1'],
      ['origin', 'https://evil.example'],
      ['sec-fetch-site', 'cross-site'],
    ] as const)
      expect((await fetch(url(), { headers: { [name]: value } })).status).toBe(403);
    await application?.app.close();
    await start({ endpoint: { token: TOKEN } });
    expect((await fetch(url())).status).toBe(403);
    expect((await fetch(url(), { headers: bearer() })).status).toBe(200);
    await application?.app.close();
    await start({ endpoint: { enabled: false } });
    expect((await fetch(url())).status).toBe(404);
  });
});

function bearer(): Record<string, string> {
  return { authorization: `Bearer ${TOKEN}` };
}
