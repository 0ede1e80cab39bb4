import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ProfileStore } from '../../lib/profiling/profile-store.js';
import { canMount, HOUR, idAt, profile, StoreFixture } from './profile-store-fixture.js';

let fixture: StoreFixture;
beforeEach(() => {
  fixture = new StoreFixture();
});
afterEach(() => fixture.remove());

async function write(store: ProfileStore, text = '{}'): Promise<string> {
  const id = store.newId();
  expect(await store.write(profile(id), text)).toBeDefined();
  return id;
}

async function idsOf(store: ProfileStore): Promise<string[]> {
  return (await store.list()).map(({ id }) => id);
}

describe('a limit', () => {
  it('of files deletes the oldest', async () => {
    const store = fixture.store({ maxFiles: 3 });
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await write(store));
    expect(await idsOf(store)).toEqual(ids.slice(2).reverse());
    expect(fixture.names()).toHaveLength(6);
  });

  it('of bytes deletes as many of the oldest as necessary', async () => {
    const store = fixture.store({ maxBytes: 5000 });
    const ids = [await write(store, 'x'.repeat(1000)), await write(store, 'x'.repeat(1000))];
    ids.push(await write(store, 'x'.repeat(1000)));
    expect(await idsOf(store)).toHaveLength(3);
    ids.push(await write(store, 'x'.repeat(3000)));
    expect(await idsOf(store)).toEqual(ids.slice(2).reverse());
  });

  it('of bytes includes descriptions', async () => {
    const bytes = JSON.stringify(profile(fixture.store().newId())).length;
    const store = fixture.store({ maxBytes: 2 * (bytes + 2) });
    const ids = [await write(store), await write(store), await write(store)];
    expect(await idsOf(store)).toEqual(ids.slice(1).reverse());
  });

  it('of age deletes older profiles', async () => {
    const [old, young] = [idAt(Date.now() - 2 * HOUR), idAt(Date.now() - HOUR / 2)];
    const store = fixture.store({ maxAgeMs: HOUR });
    const id = await write(store);
    fixture.layProfile(old);
    fixture.layProfile(young);
    const next = await write(store);
    expect(await idsOf(store)).toEqual([next, id, young]);
    expect(existsSync(join(fixture.directory, `${old}.json`))).toBe(false);
  });

  it('applies when the directory is first read', async () => {
    for (let i = 1; i <= 5; i++) fixture.layProfile(idAt(Date.now(), i));
    fixture.layProfile(idAt(Date.now() - 2 * HOUR));
    expect(await idsOf(fixture.store({ maxFiles: 2, maxAgeMs: HOUR }))).toHaveLength(2);
    expect(fixture.names()).toHaveLength(4);
  });

  it('keeps the profile just written, even if it seems the oldest', async () => {
    for (let i = 1; i <= 3; i++) fixture.layProfile(idAt(Date.now() + HOUR, i));
    const store = fixture.store({ maxFiles: 1, maxAgeMs: 0 });
    const id = idAt(Date.now() - HOUR);
    await store.write(profile(id), '{}');
    expect(await idsOf(store)).toEqual([id]);
  });

  it('is shared by all processes', async () => {
    const stores = [fixture.store({ maxFiles: 4 }), fixture.store({ maxFiles: 4 })];
    for (let i = 0; i < 10; i++) await Promise.all(stores.map((store) => write(store)));
    expect(fixture.names()).toHaveLength(8);
    expect(await idsOf(stores[0] ?? fixture.store())).toHaveLength(4);
    expect(fixture.warnings).toEqual([]);
  });

  (canMount() ? it : it.skip)(
    'that cannot be enforced is logged once, and the profile is stored',
    async () => {
      const stuck = idAt(Date.now() - HOUR);
      fixture.layProfile(stuck);
      const path = join(fixture.directory, `${stuck}.cpuprofile`);
      // What is mounted cannot be removed.
      fixture.mount(path, '--bind', path);
      const store = fixture.store({ maxFiles: 1 });
      const ids = [await write(store), await write(store)];
      expect(fixture.warnings).toEqual([expect.stringContaining('EBUSY')]);
      expect(store.failure).toBe(fixture.warnings[0]);
      expect(await idsOf(store)).toEqual([ids[1], stuck]);
      fixture.unmount(path);
      ids.push(await write(store));
      expect(await idsOf(store)).toEqual([ids[2]]);
      expect(store.failure).toBeUndefined();
    },
  );
});

describe('files of a crashed process', () => {
  const id = idAt(Date.now());
  const dead = (): number => spawnSync(process.execPath, ['-e', '']).pid;

  /** Whether a file is still there after a new process has used the directory. */
  async function stays(name: string, modifiedAt?: number): Promise<boolean> {
    const path = fixture.lay(name, '{}', modifiedAt);
    await fixture.store().list();
    return existsSync(path);
  }

  it('that are incomplete are deleted if the process was killed', async () => {
    mkdirSync(fixture.directory, { mode: 0o700 });
    const script = `
      require('node:fs').writeFileSync(process.argv[1] + '.' + process.pid + '.tmp', '{');
      console.log('written');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['-e', script, join(fixture.directory, `${id}.heapsnapshot`)]);
    await once(child.stdout, 'data');
    await fixture.store().list();
    expect(fixture.names()).toEqual([`${id}.heapsnapshot.${child.pid}.tmp`]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = fixture.store();
    const written = await write(store);
    expect(fixture.names()).toEqual([`${written}.cpuprofile`, `${written}.json`]);
  });

  it('that are incomplete are deleted if the process is gone', async () => {
    expect(await stays(`${id}.cpuprofile.${dead()}.tmp`)).toBe(false);
    expect(await stays(`${id}.json.${dead()}.tmp`)).toBe(false);
  });

  it('that are incomplete stay for an hour while the process lives', async () => {
    for (const pid of [process.pid, process.ppid, 1]) {
      expect(await stays(`${id}.cpuprofile.${pid}.tmp`)).toBe(true);
      expect(await stays(`${id}.cpuprofile.${pid}.tmp`, Date.now() - 2 * HOUR)).toBe(false);
    }
  });

  it('that are incomplete are deleted if an earlier process had our id, as in a container', async () => {
    const started = Date.now() - process.uptime() * 1000;
    expect(await stays(`${id}.cpuprofile.${process.pid}.tmp`, started - 60_000)).toBe(false);
  });

  it('that are incomplete stay for an hour if the process crashes later', async () => {
    const store = fixture.store();
    await write(store);
    const name = `${id}.cpuprofile.${dead()}.tmp`;
    fixture.lay(name);
    await write(store);
    expect(fixture.names()).toContain(name);
    fixture.lay(name, '', Date.now() - 2 * HOUR);
    await write(store);
    expect(fixture.names()).not.toContain(name);
  });

  it('are deleted if a description has no profile', async () => {
    expect(await stays(`${id}.json`)).toBe(false);
  });

  it('are deleted after an hour if a profile has no description', async () => {
    expect(await stays(`${id}.heapprofile`)).toBe(true);
    expect(await stays(`${id}.heapprofile`, Date.now() - 2 * HOUR)).toBe(false);
  });

  it.each([
    'notes.tmp',
    `${id}.tmp`,
    `${id}.4711.tmp`,
    `${id}.exe.4711.tmp`,
    `${id}.cpuprofile.4711.tmp.bak`,
    `${id}.cpuprofile.x.tmp`,
    `${id}.cpuprofile.99999999999.tmp`,
    `.${id}.cpuprofile.4711.tmp`,
    'package.json',
    'old.cpuprofile',
  ])('are distinguished from files with similar names: %s', async (name) => {
    expect(await stays(name, Date.now() - 48 * HOUR)).toBe(true);
  });

  it('are distinguished from directories with such names', async () => {
    mkdirSync(join(fixture.directory, `${id}.json`, 'x'), { recursive: true, mode: 0o700 });
    await write(fixture.store({ maxFiles: 1 }));
    expect(fixture.warnings).toEqual([]);
    expect(existsSync(join(fixture.directory, `${id}.json`, 'x'))).toBe(true);
  });
});
