import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { displayPath, withoutFolders, withoutServerPaths } from '../../lib/code/code-path.js';
import { withPerformanceTracking } from '../../lib/index.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { EndpointControllers } from '../../lib/nest/endpoint/endpoint-controllers.js';
import { routesOf } from '../../lib/nest/endpoint/endpoint-routes.js';
import type { ProfileInfo } from '../../lib/profiling/profile-info.js';
import { PLATFORMS, startApplication, type TestApplication, until } from '../support/application.js';

const TOKEN = 'sixteen-characters';
const headers = { authorization: `Bearer ${TOKEN}` };

function burn(ms: number): number {
  const end = performance.now() + ms;
  let sum = 0;
  while (performance.now() < end) sum += Math.sqrt(sum + 1);
  return sum;
}

@Controller()
class BusyController {
  @Get('busy')
  busy(): string {
    burn(250);
    return 'busy';
  }
  @Get('waiting')
  async waiting(): Promise<string> {
    for (let count = 0; count < 6; count++)
      await withPerformanceTracking('step', () => new Promise((resolve) => setTimeout(resolve, 30)));
    return 'waiting';
  }
  @Get('failing')
  failing(): never {
    throw new Error(`${process.cwd()}/secret.txt could not be opened`);
  }
}

describe.each(PLATFORMS)('the answers on %s', (platform) => {
  let application: TestApplication;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-paths-'));
    application = await startApplication(
      platform,
      { controllers: [BusyController] },
      {
        endpoint: { token: TOKEN },
        httpThresholdMs: 50,
        enableProfiling: true,
        profileSlowOperations: true,
        profiling: { directory: join(folder, 'profiles') },
        baseline: { directory: join(folder, 'baseline') },
      },
    );
    const { url, monitor } = application;
    for (const path of ['busy', 'waiting', 'failing', 'busy']) await fetch(`${url}/${path}`);
    await until(() => monitor.getSlowOperations().length > 2);
  });
  afterAll(async () => {
    await application.app.close();
    await rm(folder, { recursive: true, force: true });
  });
  const ask = (path: string, method = 'GET'): Promise<Response> =>
    fetch(`${application.url}${path}`, { method, headers });

  it('of every route hold no absolute path of the server', async () => {
    const capture = (await (await ask('/performance/profiles?seconds=1', 'POST')).json()) as ProfileInfo;
    const [slow] = application.monitor.getSlowOperations();
    const { types } = application.app.get(EndpointControllers, { strict: false });
    const answers: [string, string][] = [['captured', JSON.stringify(capture)]];
    const ids = [...application.monitor.getSlowOperations().map(({ id }) => id), 'none'];
    const profiles = (await (await ask('/performance/profiles')).json()) as ProfileInfo[];
    for (const type of types)
      for (const { method, path } of routesOf(type)) {
        if (method !== 'GET' || path.endsWith('/stream')) continue;
        const paths = !path.includes(':id')
          ? [path.replace(':file', 'app.js')]
          : path.includes('slow')
            ? ids.map((id) => path.replace(':id', id))
            : [...profiles.map(({ id }) => id), 'none'].map((id) => path.replace(':id', id));
        for (const one of paths) answers.push([one, await (await ask(one)).text()]);
      }
    expect(slow).toBeDefined();
    expect(profiles.length).toBeGreaterThan(0);
    expect(answers.length).toBeGreaterThan(20);
    for (const [path, text] of answers)
      for (const secret of [process.cwd(), homedir(), folder]) {
        const at = text.indexOf(secret === '/root' ? '/root/' : secret);
        expect([path, at < 0 ? '' : text.slice(Math.max(0, at - 80), at + 120)]).toEqual([path, '']);
      }
  });

  it('say why a capture could not be stored, without the path', async () => {
    const { store } = application.app.get(PerformanceMonitor).profiling;
    const { writeFile } = await import('node:fs/promises');
    await rm(join(folder, 'profiles'), { recursive: true });
    await writeFile(join(folder, 'profiles'), '');
    const response = await ask('/performance/profiles?seconds=1', 'POST');
    const text = await response.text();
    expect(response.status).toBe(409);
    expect(store.failure).toContain(folder);
    expect(text).not.toContain(folder);
    expect(text).toContain('it is not a directory');
  });
});

describe('paths of the server', () => {
  it('are reduced to their last parts in call sites, and in texts that quote these', () => {
    const json = JSON.stringify({
      callSite: { file: '/opt/company/shared/dates.ts', line: 3 },
      explanation: 'called by parse (/opt/company/shared/dates.ts:3)',
      windows: { file: 'C:\\Users\\me\\shop\\a.js' },
      profiling: { directory: '/data' },
    });
    const text = withoutServerPaths(json);
    expect(JSON.parse(text)).toEqual({
      callSite: { file: '…/shared/dates.ts', line: 3 },
      explanation: 'called by parse (…/shared/dates.ts:3)',
      windows: { file: '…/shop/a.js' },
      profiling: { directory: '…/data' },
    });
  });

  it('are not confused with routes, addresses and relative paths', () => {
    const json = JSON.stringify({
      name: 'GET /data/:id/app.js',
      url: 'http://shop/data',
      file: 'src/a.ts',
      profiling: { directory: '/data' },
    });
    expect(JSON.parse(withoutServerPaths(json))).toEqual({
      ...JSON.parse(json),
      profiling: { directory: '…/data' },
    });
  });

  it.each([
    [
      "EACCES: permission denied, open '/srv/shop/profiles/a.json.1.tmp'",
      "EACCES: permission denied, open '…/a.json.1.tmp'",
    ],
    [
      'Profiles cannot be stored in /srv/shop/profiles: it is a file',
      'Profiles cannot be stored in …/profiles: it is a file',
    ],
    ["ENOENT: mkdir 'C:\\shop\\profiles'", "ENOENT: mkdir '…/profiles'"],
    ['/srv/shop (mode 777)', '…/shop (mode 777)'],
    ['No profile "a/b": 50 % / 2', 'No profile "a/b": 50 % / 2'],
    ['see https://example.com/a/b and ./a/b', 'see https://example.com/a/b and ./a/b'],
  ])('are removed from the error %j', (message, expected) => {
    expect(withoutFolders(message)).toBe(expected);
  });

  it('are displayed from the home directory or node_modules on, outside of the working directory', () => {
    expect(displayPath('/opt/shop/node_modules/a/node_modules/b/c.js')).toBe('node_modules/b/c.js');
    expect(displayPath(join(process.cwd(), 'node_modules/a/c.js'))).toBe('node_modules/a/c.js');
    expect(displayPath(join(homedir(), 'shared/c.js'))).toBe('~/shared/c.js');
    expect(displayPath(join(process.cwd(), 'src/c.ts'))).toBe('src/c.ts');
  });
});
