import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BaselineEntry } from '../../lib/baseline/baseline-snapshot.js';
import { FileBaselineStore } from '../../lib/baseline/file-store.js';
import type { ReleaseVerdict } from '../../lib/baseline/release-verdict.js';
import { UnknownVersionError } from '../../lib/baseline/unknown-version.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { PerformanceMonitorService } from '../../lib/nest/performance-monitor.service.js';
import { memoryOf } from '../baseline/programs/process-memories.js';
import { releaseEntry } from '../baseline/programs/release-entries.js';
import { HOUR, START } from '../baseline/programs/simulated-windows.js';
import { snapshot } from '../baseline/programs/snapshots.js';
import { PLATFORMS, startApplication, type TestApplication } from '../support/application.js';

const TOKEN = 'sixteen-characters';
const RELEASED = START + 10 * HOUR;

describe.each(PLATFORMS)('the endpoint of the release on %s', (platform) => {
  let application: TestApplication | undefined;
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nestjs-performance-release-'));
  });
  afterEach(async () => {
    await application?.app.close();
    application = undefined;
    await rm(directory, { recursive: true, force: true });
  });

  const start = async (options: PerformanceOptions = {}): Promise<void> => {
    application = await startApplication(
      platform,
      {},
      { serviceName: 'shop', serviceVersion: '2.0.0', baseline: { directory }, ...options },
    );
  };
  const ask = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${application?.url}/performance/${path}`, { headers });
  const saved = (version: string, savedAt: number, ...operations: BaselineEntry[]): Promise<boolean> =>
    new FileBaselineStore(directory, () => {}).save(
      snapshot({ version, instance: `host-${version}`, startedAt: savedAt - HOUR, savedAt, operations }),
    );
  const releases = async (medianMs: number): Promise<void> => {
    const before = { startedAt: RELEASED - 2 * HOUR, minutes: 120, seed: 1 };
    const after = { startedAt: RELEASED, minutes: 60, seed: 2 };
    await saved(
      '1.0.0',
      RELEASED,
      releaseEntry('GET /a', before),
      releaseEntry('GET /<b>', { ...before, seed: 3 }),
    );
    await saved(
      '2.0.0',
      RELEASED + HOUR,
      releaseEntry('GET /a', { ...after, medianMs }),
      releaseEntry('GET /<b>', { ...after, seed: 4 }),
    );
  };

  it('judges this version by the data of other instances, as JSON and as Markdown', async () => {
    await releases(170);
    await start();
    const response = await ask('release');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('vary')).toContain('Accept');
    const verdict = (await response.json()) as ReleaseVerdict;
    expect(verdict).toMatchObject({
      verdict: 'worse',
      service: 'shop',
      after: { version: '2.0.0', instances: 1, from: RELEASED, to: RELEASED + HOUR, count: 3600 },
      before: { version: '1.0.0', instances: 1, count: 7200 },
      counts: { worse: 1, better: 0, new: 0, gone: 0 },
    });
    expect(verdict.versions.map(({ version }) => version)).toEqual(['2.0.0', '1.0.0']);
    expect(verdict.explanation).toMatch(/^Version 2\.0\.0 is worse than 1\.0\.0: GET \/a \(median 9\d/);
    expect(await (await ask('release.json')).json()).toEqual(verdict);
    const service = application?.app.get(PerformanceMonitorService);
    expect(JSON.parse(JSON.stringify(await service?.getReleaseVerdict()))).toEqual(verdict);
    const accepted = await ask('release', { Accept: 'text/markdown' });
    expect(accepted.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    const markdown = await accepted.text();
    expect(markdown).toMatch(/^# shop: worse\n/);
    expect(markdown).toContain('| worse | http GET /a | 3600 / 1800 | median ');
    expect(markdown).toContain('GET /&lt;b&gt;');
    expect(await (await ask('release.md')).text()).toBe(markdown);
  });

  it('judges the memory of the processes by what all of them have stored', async () => {
    const versions = [
      ['1.0.0', RELEASED, 80, 250],
      ['2.0.0', RELEASED + HOUR, 170, 70],
    ] as const;
    for (const [version, savedAt, heapMb, minutes] of versions) {
      const startedAt = savedAt - HOUR;
      await new FileBaselineStore(directory, () => {}).save(
        snapshot({
          ...{ version, instance: `host-${version}`, startedAt, savedAt },
          operations: [releaseEntry('GET /a', { startedAt, minutes: 60 })],
          memory: memoryOf({ startedAt, minutes, heapMb, processes: 2, seed: minutes }),
        }),
      );
    }
    await start();
    const verdict = (await (await ask('release')).json()) as ReleaseVerdict;
    expect(verdict).toMatchObject({
      verdict: 'worse',
      counts: { worse: 0 },
      process: { verdict: 'worse', measures: [{ measure: 'heap', verdict: 'worse' }, { measure: 'rss' }] },
    });
    expect(verdict.explanation).toContain('1.0.0: the process (heap after collections ');
    const markdown = await (await ask('release.md')).text();
    expect(markdown).toMatch(
      /\| worse \| the process \| 2 \/ 2 processes \| heap after collections .+ MB -&gt; .+ %\), 30 min to 1 h after the start; resident memory .+ \|\n/,
    );
  });

  it('compares with the version asked for, and names the versions that there are', async () => {
    await releases(170);
    await saved(
      '0.9.0',
      RELEASED - 4 * HOUR,
      releaseEntry('GET /a', { startedAt: RELEASED - 6 * HOUR, minutes: 120, medianMs: 170, seed: 5 }),
    );
    await start();
    const verdict = await (await ask('release?since=0.9.0')).json();
    expect(verdict).toMatchObject({ before: { version: '0.9.0' }, counts: { worse: 0, new: 1 } });
    const unknown = await ask('release?since=3');
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({
      message: 'Invalid version: received "3", expected one of 1.0.0, 0.9.0',
    });
    const service = application?.app.get(PerformanceMonitorService);
    await expect(service?.getReleaseVerdict({ since: '2.0.0' })).rejects.toThrow(UnknownVersionError);
    expect((await ask('release?since=')).status).toBe(400);
    expect((await ask('release?since=1.0.0&since=0.9.0')).status).toBe(400);
  });

  it('says what is missing', async () => {
    await start();
    expect(await (await ask('release')).json()).toMatchObject({
      verdict: 'not enough data',
      explanation: expect.stringMatching(/^Version 2\.0\.0 has no data yet/),
      versions: [],
      operations: [],
    });
    await saved('2.0.0', RELEASED, releaseEntry('GET /a', { startedAt: RELEASED, minutes: 60 }));
    // What was read is kept for some seconds.
    await application?.app.close();
    await start();
    expect(await (await ask('release.md')).text()).toContain('baseline.directory or baseline.store');
    await application?.app.close();
    await start({ baseline: { enabled: false } });
    expect(await (await ask('release')).text()).toContain('baseline.enabled is false');
  });

  it('requires the token', async () => {
    await start({ endpoint: { token: TOKEN } });
    for (const path of ['release', 'release.json', 'release.md']) {
      expect((await ask(path)).status).toBe(403);
      expect((await ask(path, { Authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    }
  });
});
