import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeSnapshot } from '../../lib/baseline/baseline-format.js';
import { FileBaselineStore } from '../../lib/baseline/file-store.js';
import { snapshot } from '../baseline/programs/snapshots.js';
import { idAt, profile, StoreFixture } from '../profiling/profile-store-fixture.js';

const NOBODY = 65534;
/** Only root can give files to other users. */
const asRoot = process.getuid?.() === 0 ? it : it.skip;

let fixture: StoreFixture;
const umask = process.umask();
beforeEach(() => {
  fixture = new StoreFixture();
});
afterEach(() => {
  process.umask(umask);
  fixture.remove();
});

describe('stored profiles', () => {
  const now = Date.now();
  const [own, foreign] = [idAt(now, 1), idAt(now + 1000, 2)];
  const both = (id: string): string[] =>
    ['cpuprofile', 'json'].map((end) => join(fixture.directory, `${id}.${end}`));

  asRoot.each([0, 1])(
    'are ignored with one warning if another user has planted part %i of them',
    async (part) => {
      fixture.layProfile(own);
      const more = idAt(now + 2000, 3);
      for (const id of [foreign, more]) {
        fixture.layProfile(id);
        chownSync(both(id)[part] ?? '', NOBODY, NOBODY);
      }
      const store = fixture.store();
      for (let count = 0; count < 2; count++) expect((await store.list()).map(({ id }) => id)).toEqual([own]);
      expect([await store.get(foreign), await store.open(foreign)]).toEqual([undefined, undefined]);
      const opened = await store.open(own);
      expect(opened?.info.id).toBe(own);
      opened?.content.destroy();
      expect(fixture.warnings).toEqual([
        expect.stringMatching(
          /is ignored, as are others like it: it belongs to user 65534 but this process runs as 0$/,
        ),
      ]);
    },
  );

  it.each([0o620, 0o602, 0o666])('are ignored if others may write to them (mode %o)', async (mode) => {
    fixture.layProfile(own);
    fixture.layProfile(foreign);
    for (const path of both(foreign)) chmodSync(path, mode);
    const store = fixture.store();
    expect((await store.list()).map(({ id }) => id)).toEqual([own]);
    expect(fixture.warnings).toEqual([expect.stringContaining('other users may write to it')]);
  });

  it.each([0o600, 0o400, 0o644, 0o640])(
    'are read if others may not write to them (mode %o)',
    async (mode) => {
      fixture.layProfile(own);
      for (const path of both(own)) chmodSync(path, mode);
      const store = fixture.store();
      expect((await store.list()).map(({ id }) => id)).toEqual([own]);
      expect(fixture.warnings).toEqual([]);
    },
  );

  asRoot('of other users do not displace those of this one', async () => {
    fixture.layProfile(own, '{}'.padEnd(500));
    fixture.layProfile(foreign, '{}'.padEnd(5000));
    for (const path of both(foreign)) chownSync(path, NOBODY, NOBODY);
    const store = fixture.store({ maxBytes: 4000, maxFiles: 2 });
    const info = await store.write(profile(store.newId()), '{}');
    expect((await store.list()).map(({ id }) => id).sort()).toEqual([own, info?.id].sort());
    expect(both(foreign).every((path) => existsSync(path))).toBe(true);
  });

  it('are not read from a pipe, and the reader does not wait for it', async () => {
    fixture.layProfile(own);
    const [path = ''] = both(own);
    renameSync(path, `${path}.aside`);
    if (spawnSync('mkfifo', [path]).status !== 0) return;
    const store = fixture.store();
    expect(await store.open(own)).toBeUndefined();
  });

  asRoot('are ignored with one warning in a directory of another user', async () => {
    fixture.layProfile(own);
    chownSync(fixture.directory, NOBODY, NOBODY);
    const store = fixture.store();
    expect([await store.list(), await store.list(), await store.get(own)]).toEqual([[], [], undefined]);
    expect(fixture.warnings).toEqual([expect.stringContaining('it belongs to user 65534')]);
  });

  it('are not read through a linked directory', async () => {
    fixture.layProfile(own);
    const elsewhere = join(fixture.root, 'elsewhere');
    renameSync(fixture.directory, elsewhere);
    symlinkSync(elsewhere, fixture.directory);
    const store = fixture.store();
    expect(await store.list()).toEqual([]);
    expect(fixture.warnings).toEqual([expect.stringContaining('it is a symbolic link')]);
  });

  it('lie in directories that no other user may write to, with any umask', async () => {
    process.umask(0);
    const store = fixture.store({ directory: join(fixture.root, 'a/b/profiles') });
    expect(await store.write(profile(store.newId()), '{}')).toBeDefined();
    for (const path of ['a', 'a/b', 'a/b/profiles'])
      expect([path, lstatSync(join(fixture.root, path)).mode & 0o022]).toEqual([path, 0]);
  });

  it('may lie around those of another kind that were created first', async () => {
    const directory = join(fixture.root, 'performance');
    const baselines = new FileBaselineStore(join(directory, 'baseline'), (message) =>
      fixture.warnings.push(message),
    );
    expect(await baselines.save(snapshot({ instance: 'own' }))).toBe(true);
    const store = fixture.store({ directory });
    expect(await store.write(profile(store.newId()), '{}')).toBeDefined();
    expect(fixture.warnings).toEqual([]);
  });

  it('may lie below a directory that everybody may write to, as the temporary one', async () => {
    const parent = join(fixture.root, 'tmp');
    mkdirSync(parent);
    chmodSync(parent, 0o1777);
    const store = fixture.store({ directory: join(parent, 'profiles') });
    const info = await store.write(profile(store.newId()), '{}');
    expect((await store.list()).map(({ id }) => id)).toEqual([info?.id]);
    expect(fixture.warnings).toEqual([]);
  });
});

describe('stored baselines', () => {
  let directory: string;
  let warnings: string[];
  let store: FileBaselineStore;
  beforeEach(async () => {
    directory = join(fixture.root, 'baselines');
    warnings = [];
    store = new FileBaselineStore(directory, (message) => warnings.push(message));
    expect(await store.save(snapshot({ instance: 'own' }))).toBe(true);
  });
  const lay = async (instance: string, mode = 0o600): Promise<string> => {
    const path = join(directory, `${instance}.baseline`);
    writeFileSync(path, await encodeSnapshot(snapshot({ instance })));
    chmodSync(path, mode);
    return path;
  };
  const loaded = async (): Promise<string[] | undefined> =>
    (await store.load('shop'))?.map(({ instance }) => instance).sort();

  asRoot('of other users are ignored with one warning, and stay', async () => {
    for (const instance of ['one', 'two']) chownSync(await lay(instance), NOBODY, NOBODY);
    const damaged = join(directory, 'three.baseline');
    writeFileSync(damaged, 'nonsense');
    chownSync(damaged, NOBODY, NOBODY);
    expect([await loaded(), await loaded()]).toEqual([['own'], ['own']]);
    expect(warnings).toEqual([expect.stringMatching(/is ignored: it belongs to user 65534/)]);
    expect(readdirSync(directory)).toHaveLength(4);
  });

  it('that others may write to are ignored, and all others are read', async () => {
    await lay('readable', 0o644);
    await lay('group', 0o664);
    await lay('all', 0o606);
    expect(await loaded()).toEqual(['own', 'readable']);
    expect(warnings).toEqual([expect.stringContaining('other users may write to it')]);
  });

  asRoot('in a directory of another user are neither read, written nor removed', async () => {
    chownSync(directory, NOBODY, NOBODY);
    expect([await loaded(), await loaded()]).toEqual([undefined, undefined]);
    expect(warnings).toEqual([
      expect.stringContaining('it belongs to user 65534 but this process runs as 0'),
    ]);
    expect(await store.save(snapshot({ instance: 'new' }))).toBe(false);
    await store.remove('shop', 'own');
    expect(readdirSync(directory)).toEqual(['own.baseline']);
  });

  it('in a linked directory are neither read, written nor removed', async () => {
    const elsewhere = join(fixture.root, 'elsewhere');
    renameSync(directory, elsewhere);
    symlinkSync(elsewhere, directory);
    expect(await loaded()).toBeUndefined();
    expect(await store.save(snapshot({ instance: 'new' }))).toBe(false);
    await store.remove('shop', 'own');
    expect(readdirSync(elsewhere)).toEqual(['own.baseline']);
  });

  it('in a directory that others may write to are not read while it contains other files', async () => {
    writeFileSync(join(directory, 'notes.txt'), '');
    chmodSync(directory, 0o777);
    expect(await loaded()).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('other users may write to it (mode 777)')]);
    chmodSync(directory, 0o700);
    expect(await loaded()).toEqual(['own']);
  });

  it('close a directory to others that contains nothing else', async () => {
    chmodSync(directory, 0o777);
    expect(await loaded()).toEqual(['own']);
    expect(lstatSync(directory).mode & 0o777).toBe(0o700);
  });

  it('may lie in a directory that others may read, beside other files', async () => {
    writeFileSync(join(directory, 'notes.txt'), '');
    chmodSync(directory, 0o755);
    expect([await loaded(), await store.save(snapshot({ instance: 'new' })), await loaded()]).toEqual([
      ['own'],
      true,
      ['new', 'own'],
    ]);
    expect(warnings).toEqual([]);
  });

  it('are not written into a pipe', async () => {
    if (spawnSync('mkfifo', [join(directory, 'new.baseline.part')]).status !== 0) return;
    expect(await store.save(snapshot({ instance: 'new' }))).toBe(false);
  });
});
