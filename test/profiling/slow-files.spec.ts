import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DetailedSlowOperation, SlowOperation } from '../../lib/explain/slow-operation.js';
import { mapStore, simulated, slowOperation } from '../fleet/simulated-instance.js';
import { Agent } from '../mcp/client.js';
import { fetchFromOutside, type TestApplication, until } from '../support/application.js';
import { coreOf, ProfiledApplications } from './profiled-application.js';

let applications: ProfiledApplications;
beforeEach(() => {
  applications = new ProfiledApplications();
});
afterEach(() => applications.end());

const fileOf = ({ id }: SlowOperation): string =>
  join(
    applications.directory,
    readdirSync(applications.directory).find((name) => name.endsWith(`.${id}.slow`)) ?? 'none',
  );

/** A slow operation whose file is written, of an application that keeps one in memory. */
async function written(
  options: Parameters<ProfiledApplications['start']>[0] = {},
): Promise<{ application: TestApplication; slow: SlowOperation }> {
  const application = await applications.start({ detection: { maxSlowOperations: 1 }, ...options });
  const slow = await applications.slow(application, '/burn', false);
  await until(() => existsSync(fileOf(slow)));
  return { application, slow };
}
async function dropped(application: TestApplication): Promise<void> {
  coreOf(application).record({ type: 'other', name: 'other', durationMs: 9, thresholdMs: 1, error: false });
  await until(() => application.monitor.getSlowOperations()[0]?.name === 'other');
}
const read = (application: TestApplication, id: string): Promise<Response> =>
  fetchFromOutside(`${application.url}/performance/slow/${encodeURIComponent(id)}`);

describe('a slow operation with a profile', () => {
  it('opens after newer ones took its place, and after a restart, for as long as its profile exists', async () => {
    const { application, slow } = await written({ logging: { keep: true } });
    const known = application.monitor.getSlowOperation(slow.id);
    expect(known).toMatchObject({ profile: expect.any(String), topFunctions: expect.any(Array) });
    await dropped(application);
    expect(application.monitor.getSlowOperation(slow.id)).toBeUndefined();
    expect(await (await read(application, slow.id)).json()).toEqual(JSON.parse(JSON.stringify(known)));
    await applications.stop(application);

    const next = await applications.start();
    expect(await (await read(next, slow.id)).json()).toEqual(JSON.parse(JSON.stringify(known)));
    const agent = await Agent.at(`${next.url}/performance`);
    expect((await agent.call('get_slow_operation', { id: slow.id })).data).toMatchObject({ id: slow.id });
    await agent.close();

    const profile = known?.profile ?? '';
    rmSync(join(applications.directory, `${profile}.cpuprofile`));
    expect((await read(next, slow.id)).status).toBe(404);
    expect(await next.monitor.findSlowOperation(slow.id)).toBeUndefined();
  });

  it('is written when the application shuts down right after it', async () => {
    const application = await applications.start();
    const slow = await applications.slow(application, '/burn', false);
    await applications.stop(application);
    const next = await applications.start();
    expect(await next.monitor.findSlowOperation(slow.id)).toMatchObject({ id: slow.id, name: 'GET /burn' });
  });

  it('is that of memory while it is there', async () => {
    const { application, slow } = await written();
    const path = fileOf(slow);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(slow.explanation, 'of the file'));
    expect(await (await read(application, slow.id)).json()).not.toMatchObject({ explanation: 'of the file' });
    await dropped(application);
    expect(await (await read(application, slow.id)).json()).toMatchObject({ id: slow.id });
  });

  it('is not found by another service', async () => {
    const { application, slow } = await written({ serviceName: 'shop' });
    await applications.stop(application);
    const other = await applications.start({ serviceName: 'stock' });
    expect((await read(other, slow.id)).status).toBe(404);
  });

  it('leaves no file without a profile', async () => {
    const application = await applications.start({ profileSlowOperations: false });
    const slow = await applications.slow(application, '/burn');
    expect(existsSync(fileOf(slow))).toBe(false);
    await applications.stop(application);
    const next = await applications.start();
    expect((await read(next, slow.id)).status).toBe(404);
  });

  // biome-ignore lint/suspicious/noExplicitAny: any value may be replaced.
  type Change = (value: any) => unknown;
  it.each<[string, Change | string]>([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['thousands of levels', '['.repeat(30_000)],
    ['too many bytes', 'x'.repeat(100_000)],
    ['a later format', (value) => Object.assign(value, { formatVersion: 2 })],
    ['another id', (value) => Object.assign(value.operation, { id: 'other' })],
    ['another profile', (value) => Object.assign(value.operation, { profile: 'other' })],
    ['no profile', (value) => delete value.operation.profile],
    ['a name that is an object', (value) => Object.assign(value.operation, { name: {} })],
    ['causes that are no list', (value) => Object.assign(value.operation, { causes: { length: 1 } })],
    ['a duration that is a text', (value) => Object.assign(value.operation, { durationMs: '5' })],
    ['a log of nothing', (value) => Object.assign(value.operation, { log: null })],
  ])('is not there if its file has %s', async (_, change) => {
    const { application, slow } = await written();
    const path = fileOf(slow);
    const value = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof change === 'function') change(value);
    writeFileSync(path, typeof change === 'function' ? JSON.stringify(value) : change);
    await dropped(application);
    const answer = await read(application, slow.id);
    expect(answer.status).toBe(404);
    expect(((await answer.json()) as { message: string }).message).toMatch(/^No slow operation "/);
  });

  it('is not there if a number of its file is not finite', async () => {
    const { application, slow } = await written();
    const path = fileOf(slow);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"durationMs":[\d.]+/, '"durationMs":1e999'));
    await dropped(application);
    expect((await read(application, slow.id)).status).toBe(404);
  });

  it('is written if newer ones took its place before it was completely described', async () => {
    const application = await applications.start({ detection: { maxSlowOperations: 1 } });
    const slow = await applications.slow(application, '/burn', false);
    await dropped(application);
    await until(() => existsSync(fileOf(slow)));
    expect(await application.monitor.findSlowOperation(slow.id)).toMatchObject({
      ...{ id: slow.id, profile: slow.profile },
      topFunctions: expect.any(Array),
    });
  });

  it('is that of its own file before that of another instance', async () => {
    const store = mapStore();
    const { application, slow } = await written({ serviceName: 'shop', fleet: { enabled: true, store } });
    const other = simulated('other', { store });
    other.slow.add(slowOperation(slow.id));
    await other.fleet.publish();
    await dropped(application);
    expect(await (await read(application, slow.id)).json()).toMatchObject({ name: 'GET /burn' });
    rmSync(fileOf(slow));
    expect(await (await read(application, slow.id)).json()).toMatchObject({
      ...{ name: 'GET /albums', instance: 'other' },
    });
    await other.stop();
  });

  it('has nothing in its answer that its file adds', async () => {
    const { application, slow } = await written();
    const path = fileOf(slow);
    const value = JSON.parse(readFileSync(path, 'utf8'));
    Object.assign(value.operation, { html: '<b>', instance: 'other' });
    writeFileSync(path, JSON.stringify(value));
    await dropped(application);
    const found = (await (await read(application, slow.id)).json()) as DetailedSlowOperation;
    expect(found).toMatchObject({ id: slow.id });
    expect(found).not.toHaveProperty('html');
    expect(found).not.toHaveProperty('instance');
  });

  it.each(['../../etc/passwd', '..%2f..', '', 'a'.repeat(65), '__proto__', 'x.slow'])(
    'is not there by the id %j',
    async (id) => {
      const { application } = await written();
      expect(await application.monitor.findSlowOperation(id)).toBeUndefined();
      if (id !== '') expect((await read(application, id)).status).toBe(404);
    },
  );
});
