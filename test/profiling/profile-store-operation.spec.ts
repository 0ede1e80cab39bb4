import { existsSync, statSync, symlinkSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MAX_OPERATION_BYTES } from '../../lib/profiling/profile-operation.js';
import type { ProfileStore } from '../../lib/profiling/profile-store.js';
import { HOUR, idAt, profile, StoreFixture } from './profile-store-fixture.js';

let fixture: StoreFixture;
beforeEach(() => {
  fixture = new StoreFixture();
});
afterEach(() => fixture.remove());

const OPERATION = 'b7ad6b7169203331';

async function write(store: ProfileStore, operation = OPERATION, text = '{"a":1}'): Promise<string> {
  const id = store.newId();
  expect(await store.write(profile(id), '{}')).toBeDefined();
  expect(await store.writeOperation(id, operation, text)).toBe(true);
  return id;
}

describe('the description of a slow operation', () => {
  it('is a private file beside its profile, also for another process', async () => {
    const id = await write(fixture.store());
    expect(fixture.names()).toEqual([`${id}.${OPERATION}.slow`, `${id}.cpuprofile`, `${id}.json`]);
    expect(statSync(join(fixture.directory, `${id}.${OPERATION}.slow`)).mode & 0o777).toBe(0o600);
    const other = fixture.store();
    expect(await other.readOperation(OPERATION)).toEqual({ profile: id, text: '{"a":1}' });
    expect((await other.list()).map((one) => one.id)).toEqual([id]);
    expect(await other.readOperation('0000000000000000')).toBeUndefined();
  });

  it('is the latest one of an operation with several profiles', async () => {
    const store = fixture.store();
    const [first, second] = [await write(store, OPERATION, 'first'), await write(store, OPERATION, 'second')];
    expect(await store.readOperation(OPERATION)).toEqual({ profile: second, text: 'second' });
    await rm(join(fixture.directory, `${second}.cpuprofile`));
    expect(await store.readOperation(OPERATION)).toEqual({ profile: first, text: 'first' });
  });

  it('replaces an earlier one of the same profile', async () => {
    const store = fixture.store();
    const id = await write(store, OPERATION, 'first');
    await store.writeOperation(id, OPERATION, 'second');
    expect((await store.readOperation(OPERATION))?.text).toBe('second');
    expect(fixture.names()).toHaveLength(3);
  });

  it('goes with its profile once a limit of files is reached', async () => {
    const store = fixture.store({ maxFiles: 2 });
    const [first] = [await write(store, 'a1'), await write(store, 'a2'), await write(store, 'a3')];
    expect(fixture.names()).toHaveLength(6);
    expect(fixture.names().some((name) => name.startsWith(first))).toBe(false);
    expect(await store.readOperation('a1')).toBeUndefined();
    expect(await store.readOperation('a3')).toBeDefined();
  });

  it('counts for the limit of bytes, and removes older profiles for itself', async () => {
    const store = fixture.store({ maxBytes: 5000 });
    await write(store, 'a1', 'x'.repeat(2000));
    await write(store, 'a2', 'x'.repeat(2000));
    expect((await store.list()).length).toBe(2);
    const id = store.newId();
    await store.write(profile(id), '{}');
    expect((await store.list()).length).toBe(3);
    expect(await store.writeOperation(id, 'a3', 'x'.repeat(2000))).toBe(true);
    expect((await store.list()).length).toBe(2);
    expect(await store.readOperation('a1')).toBeUndefined();
    const bytes = fixture
      .names()
      .reduce((sum, name) => sum + statSync(join(fixture.directory, name)).size, 0);
    expect(bytes).toBeLessThanOrEqual(5000);
  });

  it('goes with its profile once it is old', async () => {
    const old = idAt(Date.now() - 2 * HOUR);
    fixture.layProfile(old);
    fixture.lay(`${old}.${OPERATION}.slow`, '{}');
    const store = fixture.store({ maxAgeMs: HOUR });
    expect(await store.readOperation(OPERATION)).toBeUndefined();
    expect(fixture.names()).toEqual([]);
  });

  it('is removed without its profile, as is what a crashed process left behind', async () => {
    const id = idAt(Date.now());
    const stopped = `${idAt(Date.now(), 2)}.${OPERATION}.slow.999999.tmp`;
    fixture.lay(`${id}.${OPERATION}.slow`, '{}');
    fixture.lay(stopped, '{');
    expect(await fixture.store().readOperation(OPERATION)).toBeUndefined();
    expect(fixture.names()).toEqual([]);
  });
});

describe('the description of a slow operation is not written', () => {
  it('without its profile, and with ids that are no part of a name', async () => {
    const store = fixture.store();
    const id = await write(store);
    for (const [given, operation] of [
      [store.newId(), OPERATION],
      [`../${id}`, OPERATION],
      [id, '../../etc/passwd'],
      [id, ''],
      [id, 'x'.repeat(65)],
      [id, `${OPERATION}.slow`],
    ] as const)
      expect(await store.writeOperation(given, operation, '{}')).toBe(false);
    expect(fixture.names()).toHaveLength(3);
    expect(fixture.warnings).toEqual([]);
  });

  it('if it is too large for a description, or for the directory', async () => {
    const id = await write(fixture.store());
    const store = fixture.store({ maxBytes: 1000 });
    expect(await fixture.store().writeOperation(id, 'a1', 'ü'.repeat(MAX_OPERATION_BYTES / 2))).toBe(true);
    expect(await fixture.store().writeOperation(id, 'a2', `${'ü'.repeat(MAX_OPERATION_BYTES / 2)}x`)).toBe(
      false,
    );
    expect(await store.writeOperation(id, 'a3', 'x'.repeat(1000))).toBe(false);
    expect(existsSync(join(fixture.directory, `${id}.a2.slow`))).toBe(false);
  });

  it('while 16 others wait', async () => {
    const store = fixture.store();
    const id = await write(store);
    const writes = Array.from({ length: 40 }, (_, at) => store.writeOperation(id, `a${at}`, '{}'));
    const written = await Promise.all(writes);
    expect(written.filter(Boolean).length).toBe(17);
    expect(await store.writeOperation(id, 'later', '{}')).toBe(true);
  });

  it('and says so once, if the directory cannot be written', async () => {
    const store = fixture.store();
    const id = await write(store);
    const path = join(fixture.directory, `${id}.a1.slow.${process.pid}.tmp`);
    symlinkSync('/etc/passwd', path);
    expect(await store.writeOperation(id, 'a1', '{}')).toBe(false);
    expect(fixture.warnings).toHaveLength(1);
    await rm(path, { force: true });
    expect(await store.writeOperation(id, 'a1', '{}')).toBe(true);
    expect(store.failure).toBeUndefined();
  });
});

describe('the description of a slow operation is not read', () => {
  it('if it is too large', async () => {
    const id = await write(fixture.store());
    fixture.lay(`${id}.${OPERATION}.slow`, 'x'.repeat(MAX_OPERATION_BYTES + 1));
    expect(await fixture.store().readOperation(OPERATION)).toBeUndefined();
  });

  it('if another user may have written it, which is said once', async () => {
    const id = await write(fixture.store());
    await chmod(join(fixture.directory, `${id}.${OPERATION}.slow`), 0o666);
    const store = fixture.store();
    expect(await store.readOperation(OPERATION)).toBeUndefined();
    expect(await store.readOperation(OPERATION)).toBeUndefined();
    expect(fixture.warnings).toEqual([expect.stringContaining('other users may write to it')]);
  });

  it('by a link, from a directory that does not exist, and by a path', async () => {
    const id = await write(fixture.store());
    symlinkSync('/etc/passwd', join(fixture.directory, `${id}.linked.slow`));
    expect(await fixture.store().readOperation('linked')).toBeUndefined();
    expect(
      await fixture.store({ directory: join(fixture.root, 'none') }).readOperation(OPERATION),
    ).toBeUndefined();
    for (const operation of ['../x', '', 'a/b', `${'a'.repeat(65)}`, '__proto__/x', 'a\0b'])
      expect(await fixture.store().readOperation(operation)).toBeUndefined();
    expect(fixture.warnings).toEqual([]);
  });
});
