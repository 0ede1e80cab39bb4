import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { idAt, profile, StoreFixture } from './profile-store-fixture.js';

let fixture: StoreFixture;
const umask = process.umask();
beforeEach(() => {
  fixture = new StoreFixture();
});
afterEach(() => {
  process.umask(umask);
  fixture.remove();
});

const modeOf = (path: string): number => lstatSync(path).mode & 0o777;

describe('the directory', () => {
  it('is not created by reading', async () => {
    const store = fixture.store();
    expect([await store.list(), await store.get(idAt(0)), await store.open(store.newId())]).toEqual([
      [],
      undefined,
      undefined,
    ]);
    await store.flush();
    expect(readdirSync(fixture.root)).toEqual([]);
  });

  it.each([0, 0o022, 0o777])('is private to its owner, with all its files, under umask %i', async (mask) => {
    // The parents get the default mode: with this umask no process could enter them.
    mkdirSync(join(fixture.root, 'a'));
    const directory = join(fixture.root, mask === 0o777 ? 'a/profiles' : 'a/b/c/profiles');
    process.umask(mask);
    const store = fixture.store({ directory });
    const info = await store.write(profile(store.newId()), '{}');
    process.umask(umask);
    expect(fixture.warnings).toEqual([]);
    expect(modeOf(directory)).toBe(0o700);
    expect(modeOf(info?.path ?? '')).toBe(0o600);
    expect(readdirSync(directory).map((name) => modeOf(join(directory, name)))).toEqual([0o600, 0o600]);
  });

  it.each([
    ['that is empty', []],
    [
      'that holds only files of ours',
      [`${idAt(Date.now())}.cpuprofile`, `${idAt(Date.now())}.json.4711.tmp`],
    ],
  ])('%s is closed to other users', async (_what, names) => {
    mkdirSync(fixture.directory);
    for (const name of names) fixture.lay(name);
    chmodSync(fixture.directory, 0o777);
    const store = fixture.store();
    expect(await store.write(profile(store.newId()), '{}')).toBeDefined();
    expect(modeOf(fixture.directory)).toBe(0o700);
  });

  it('is refused if other users may enter it and it contains other files', async () => {
    fixture.lay('report.pdf');
    chmodSync(fixture.directory, 0o755);
    const store = fixture.store();
    expect(await store.write(profile(store.newId()), '{}')).toBeUndefined();
    expect(fixture.warnings).toEqual([
      `Profiles cannot be stored in ${fixture.directory}: other users may enter it (mode 755), and it contains other files ("report.pdf"): ` +
        `use a directory for profiles only, such as ${fixture.directory}/profiles, or set its mode to 700`,
    ]);
    expect(modeOf(fixture.directory)).toBe(0o755);
    expect(fixture.names()).toEqual(['report.pdf']);
  });

  it('is refused if it contains a directory named like a profile', async () => {
    mkdirSync(join(fixture.directory, `${idAt(0)}.json`), { recursive: true });
    chmodSync(fixture.directory, 0o755);
    const store = fixture.store();
    expect(await store.write(profile(store.newId()), '{}')).toBeUndefined();
    expect(store.failure).toContain('it contains other files');
  });

  it('may contain other files if it is private', async () => {
    fixture.lay('report.pdf');
    const store = fixture.store();
    expect(await store.write(profile(store.newId()), '{}')).toBeDefined();
    expect(fixture.names()).toContain('report.pdf');
  });

  it.each(['', '/', '/.'])(
    'is refused if it is a symbolic link, written with %j at its end',
    async (ending) => {
      const elsewhere = join(fixture.root, 'elsewhere');
      mkdirSync(elsewhere, { mode: 0o700 });
      const id = idAt(Date.now());
      writeFileSync(join(elsewhere, `${id}.json`), JSON.stringify(profile(id)));
      writeFileSync(join(elsewhere, `${id}.cpuprofile`), '{}');
      symlinkSync(elsewhere, fixture.directory);
      const store = fixture.store({ directory: fixture.directory + ending });
      expect(await store.list()).toEqual([]);
      expect(await store.open(id)).toBeUndefined();
      expect(await store.write(profile(store.newId()), '{}')).toBeUndefined();
      expect(store.failure).toContain(`${fixture.directory}: it is a symbolic link`);
      expect(readdirSync(elsewhere)).toHaveLength(2);
      unlinkSync(fixture.directory);
      expect(await store.write(profile(store.newId()), '{}')).toBeDefined();
      expect(store.failure).toBeUndefined();
    },
  );

  it('is refused if it is a dangling symbolic link', async () => {
    symlinkSync(join(fixture.root, 'elsewhere'), fixture.directory);
    const store = fixture.store();
    expect(await store.write(profile(store.newId()), '{}')).toBeUndefined();
    expect(readdirSync(fixture.root)).toEqual(['profiles']);
  });

  it('is refused if it is a file', async () => {
    writeFileSync(fixture.directory, '');
    const store = fixture.store();
    expect(await store.write(profile(store.newId()), '{}')).toBeUndefined();
    expect(store.failure).toContain(`${fixture.directory}: it is not a directory`);
  });

  (process.getuid?.() === 0 ? it : it.skip)('of another user is refused', async () => {
    const id = idAt(Date.now());
    fixture.layProfile(id);
    chownSync(fixture.directory, 65534, 65534);
    const store = fixture.store();
    expect(await store.list()).toEqual([]);
    expect(await store.write(profile(store.newId()), '{}')).toBeUndefined();
    expect(store.failure).toContain(
      `${fixture.directory}: it belongs to user 65534 but this process runs as 0`,
    );
  });
});

describe('deletion by others', () => {
  it('of the directory: nothing is read, and it is created again', async () => {
    const store = fixture.store();
    const id = store.newId();
    await store.write(profile(id), '{}');
    rmSync(fixture.directory, { recursive: true });
    expect([await store.list(), await store.get(id), await store.open(id)]).toEqual([
      [],
      undefined,
      undefined,
    ]);
    expect(await store.write(profile(id), '{}')).toBeDefined();
    expect(await store.list()).toHaveLength(1);
    expect(fixture.warnings).toEqual([]);
  });

  it.each(['cpuprofile', 'json'])('of a .%s: that profile is not read, the others are', async (ending) => {
    const store = fixture.store();
    const [gone, stays] = [store.newId(), store.newId()];
    await store.write(profile(gone), '{}');
    await store.write(profile(stays), '{}');
    rmSync(join(fixture.directory, `${gone}.${ending}`));
    expect([await store.get(gone), await store.open(gone)]).toEqual([undefined, undefined]);
    expect((await store.list()).map(({ id }) => id)).toEqual([stays]);
  });

  it('before the file gets its name: the write fails, the next one succeeds', async () => {
    const store = fixture.store();
    async function* content(): AsyncGenerator<string> {
      yield '{';
      rmSync(fixture.directory, { recursive: true });
      yield '}';
    }
    expect(await store.write(profile(store.newId()), content())).toBeUndefined();
    expect(fixture.warnings).toHaveLength(1);
    expect(store.failure).toContain('ENOENT');
    expect(await store.write(profile(store.newId()), '{}')).toBeDefined();
    expect(store.failure).toBeUndefined();
  });

  it('of the file that is being written: the write fails, the next one succeeds', async () => {
    const store = fixture.store();
    async function* content(): AsyncGenerator<string> {
      yield '{}';
      for (const name of fixture.names()) rmSync(join(fixture.directory, name));
    }
    expect(await store.write(profile(store.newId()), content())).toBeUndefined();
    expect(fixture.names()).toEqual([]);
    expect(await store.write(profile(store.newId()), '{}')).toBeDefined();
  });
});
