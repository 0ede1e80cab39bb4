import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import KeyvRedis from '@keyv/redis';
import Keyv from 'keyv';
import { encodeSnapshot } from '../../lib/baseline/baseline-format.js';
import type { KeyValueStore } from '../../lib/baseline/baseline-options.js';
import { FileBaselineStore } from '../../lib/baseline/file-store.js';
import { KeyvBaselineStore } from '../../lib/baseline/keyv-store.js';
import { RespServer } from '../support/resp-server.js';
import { snapshot } from './programs/snapshots.js';

const DAY = 86_400_000;

describe('FileBaselineStore', () => {
  let folder: string;
  let directory: string;
  let warnings: string[];
  let store: FileBaselineStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-baseline-'));
    directory = join(folder, 'deep', 'baseline');
    warnings = [];
    store = new FileBaselineStore(directory, (message) => warnings.push(message));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('keeps what is saved, for its owner alone', async () => {
    expect(await store.load('shop')).toEqual([]);
    expect(await store.save(snapshot())).toBe(true);
    expect(await store.save(snapshot({ savedAt: 3_000 }))).toBe(true);
    expect(await store.save(snapshot({ instance: 'host-2-bb', service: 'other' }))).toBe(true);
    expect(await store.load('shop')).toEqual([snapshot({ savedAt: 3_000 })]);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'host-1-aa.baseline'))).mode & 0o777).toBe(0o600);
    await store.remove('shop', 'host-1-aa');
    await store.remove('shop', '../../x');
    expect(await readdir(directory)).toEqual(['host-2-bb.baseline']);
    expect(warnings).toEqual([]);
  });

  it('sets a damaged file aside, warns once, and keeps five of those', async () => {
    await store.save(snapshot());
    for (let i = 0; i < 8; i++) await writeFile(join(directory, `bad-${i}.baseline`), 'nonsense\n');
    expect(await store.load('shop')).toHaveLength(1);
    expect(await store.load('shop')).toHaveLength(1);
    expect(warnings).toHaveLength(8);
    expect(warnings.sort()[0]).toMatch(
      /bad-0\.baseline is damaged and was renamed to bad-0\.baseline\.corrupt: it is not a baseline/,
    );
    expect((await readdir(directory)).filter((name) => name.endsWith('.corrupt'))).toHaveLength(5);
  });

  it('keeps a file of a newer format, and warns once', async () => {
    await store.save(snapshot());
    const path = join(directory, 'host-1-aa.baseline');
    const newer = (await encodeSnapshot(snapshot())).replace('"formatVersion":1', '"formatVersion":2');
    await writeFile(path, newer);
    expect(await store.load('shop')).toEqual([]);
    expect(await store.load('shop')).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('its format version is 2, expected 1')]);
    expect(await readFile(path, 'utf8')).toBe(newer);
  });

  it('reads what was written last of what is too much', async () => {
    for (const instance of ['one', 'two', 'three']) {
      await store.save(snapshot({ instance }));
      await setTimeout(20);
    }
    const { length } = await encodeSnapshot(snapshot({ instance: 'three' }));
    const small = new FileBaselineStore(directory, () => {}, length * 2);
    expect((await small.load('shop'))?.map(({ instance }) => instance)).toEqual(['three', 'two']);
  });

  it('follows no link', async () => {
    await store.save(snapshot());
    const secret = join(folder, 'secret');
    await writeFile(secret, await encodeSnapshot(snapshot({ instance: 'link' })));
    await symlink(secret, join(directory, 'link.baseline'));
    await symlink(secret, join(directory, 'target.baseline.part'));
    expect(await store.load('shop')).toHaveLength(1);
    expect(await store.save(snapshot({ instance: 'target' }))).toBe(false);
    expect(await readFile(secret, 'utf8')).toContain('"instance":"link"');
  });

  it('warns once of a directory that cannot be made, and goes on', async () => {
    await writeFile(join(folder, 'deep'), '');
    expect(await store.save(snapshot())).toBe(false);
    expect(await store.save(snapshot())).toBe(false);
    expect(warnings).toEqual([expect.stringContaining('The baseline could not be saved in')]);
    await chmod(folder, 0o700);
  });
});

function mapStore(): KeyValueStore & { values: Map<string, unknown> } {
  const values = new Map<string, unknown>();
  return {
    values,
    get: async (key) => values.get(key),
    set: async (key, value) => values.set(key, value),
    delete: async (key) => values.delete(key),
  };
}

describe('KeyvBaselineStore', () => {
  const stores: [string, () => Promise<{ store: KeyValueStore; stop: () => Promise<unknown> }>][] = [
    ['a Map', async () => ({ store: mapStore(), stop: async () => {} })],
    ['Keyv in memory', async () => ({ store: new Keyv(), stop: async () => {} })],
    [
      'Keyv on Redis',
      async () => {
        const server = process.env['REDIS_URL'] === undefined ? await RespServer.start() : undefined;
        const url = process.env['REDIS_URL'] ?? `redis://127.0.0.1:${server?.port}`;
        const keyv = new Keyv(new KeyvRedis(url, { useUnlink: false }), { namespace: `test-${process.pid}` });
        return {
          store: keyv,
          stop: async () => {
            await keyv.disconnect();
            await server?.stop();
          },
        };
      },
    ],
  ];
  it.each(stores)('keeps what many instances save at once on %s', async (_, start) => {
    const { store, stop } = await start();
    try {
      const warnings: string[] = [];
      const instance = (): KeyvBaselineStore =>
        new KeyvBaselineStore(store, DAY, (message) => warnings.push(message));
      const ids = Array.from({ length: 40 }, (_unused, i) => `host-${i}`);
      const instances = ids.map(() => instance());
      // What was lost of the lists is healed by the next save.
      for (let round = 0; round < 2; round++)
        await Promise.all(ids.map((id, i) => instances[i]?.save(snapshot({ instance: id }))));
      for (const id of ids) await instance().save(snapshot({ instance: id }));
      const found = await instance().load('shop');
      expect(found?.map((one) => one.instance).sort()).toEqual([...ids].sort());
      expect(await instance().load('other')).toEqual([]);
      await instance().remove('shop', 'host-3');
      expect(await instance().load('shop')).toHaveLength(39);
      expect(warnings).toEqual([]);
    } finally {
      await stop();
    }
  });

  it('saves again in a directory after a logger that throws', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'baseline-'));
    const blocked = join(directory, 'file');
    await writeFile(blocked, '');
    const store = new FileBaselineStore(blocked, () => {
      throw new Error('no log');
    });
    await expect(store.save(snapshot())).rejects.toThrow('no log');
    await rm(blocked);
    expect(await store.save(snapshot())).toBe(true);
    await rm(directory, { recursive: true });
  });

  it('heals a list that another has overwritten or damaged', async () => {
    const store = mapStore();
    const one = new KeyvBaselineStore(store, DAY, () => {});
    await one.save(snapshot());
    for (const key of store.values.keys()) if (key.includes(':list:')) store.values.set(key, '{"a":');
    expect(await one.load('shop')).toEqual([]);
    await one.save(snapshot());
    expect(await one.load('shop')).toEqual([snapshot()]);
  });

  it('leaves out what is damaged, and warns once', async () => {
    const store = mapStore();
    const warnings: string[] = [];
    const one = new KeyvBaselineStore(store, DAY, (message) => warnings.push(message));
    await one.save(snapshot());
    for (const key of store.values.keys()) if (key.includes(':of:')) store.values.set(key, 'nonsense');
    expect(await one.load('shop')).toEqual([]);
    expect(await one.load('shop')).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('is ignored')]);
  });

  it('warns once of a store that fails, and again after it was well', async () => {
    const store = mapStore();
    const warnings: string[] = [];
    let broken = true;
    const failing = {
      ...store,
      set: (key: string, value: unknown) =>
        broken ? Promise.reject(new Error('down')) : store.set(key, value),
    };
    const one = new KeyvBaselineStore(failing, DAY, (message) => warnings.push(message));
    for (const state of [true, true, false, true]) {
      broken = state;
      expect(await one.save(snapshot())).toBe(!state);
    }
    expect(warnings).toEqual(new Array(2).fill('The baseline could not be saved in the store: down'));
  });
});
