import { symlinkSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PROFILE_TYPES } from '../../lib/profiling/profile-info.js';
import { chunks, HOUR, idAt, profile, StoreFixture, textOf } from './profile-store-fixture.js';

let fixture: StoreFixture;
beforeEach(() => {
  fixture = new StoreFixture();
});
afterEach(() => fixture.remove());

describe('an id', () => {
  it('contains time, process and number, and sorts by age', () => {
    const store = fixture.store();
    const ids = Array.from({ length: 20 }, () => store.newId());
    for (const id of ids) expect(id).toMatch(new RegExp(`^\\d{8}T\\d{6}-${process.pid}-\\d{6}-[0-9a-f]{6}$`));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set([...ids, fixture.store().newId()]).size).toBe(21);
  });

  it('gives an absolute path for each type, without creating a file', () => {
    const store = fixture.store();
    const id = store.newId();
    expect(PROFILE_TYPES.map((type) => store.pathOf(id, type))).toEqual(
      ['cpuprofile', 'heapprofile', 'heapsnapshot'].map((ending) =>
        join(fixture.directory, `${id}.${ending}`),
      ),
    );
    expect(() => fixture.names()).toThrow('ENOENT');
    expect(isAbsolute(fixture.store({ directory: 'relative' }).pathOf(id, 'cpu'))).toBe(true);
  });
});

describe('a stored profile', () => {
  it.each([
    ['text', '{"é":1}'],
    ['bytes', Buffer.from('{"é":1}')],
    ['chunks', chunks('{"é"', Buffer.from(':1}'))],
    ['a stream', Readable.from(['{"é"', ':1}'])],
  ])('as %s is read unchanged', async (_kind, content) => {
    const store = fixture.store();
    const id = store.newId();
    const operation = { type: 'http', name: 'GET /albums', traceId: 'a', spanId: 'b' };
    const given = profile(id, { samples: 12, scope: 'operation', reason: 'slow_operation', operation });
    const info = { ...given, bytes: 8, path: store.pathOf(id, 'cpu') };
    expect(await store.write(given, content)).toEqual(info);
    expect(await store.get(id)).toEqual(info);
    expect(await store.list()).toEqual([info]);
    const opened = await store.open(id);
    expect(opened?.info).toEqual(info);
    expect(opened && (await textOf(opened.content))).toBe('{"é":1}');
    expect(fixture.names()).toEqual([`${id}.cpuprofile`, `${id}.json`]);
    expect(fixture.warnings).toEqual([]);
    expect(store.failure).toBeUndefined();
  });

  it('is listed with the others, newest first', async () => {
    const store = fixture.store();
    const ids = [store.newId(), store.newId(), store.newId()];
    for (const [index, id] of ids.entries())
      await store.write(profile(id, { type: PROFILE_TYPES[index] ?? 'cpu' }), '{}');
    fixture.layProfile(idAt(Date.now() - HOUR));
    expect((await store.list()).map(({ id }) => id)).toEqual([...ids.reverse(), idAt(Date.now() - HOUR)]);
  });

  it('is visible to another store on the directory', async () => {
    const [one, other] = [fixture.store(), fixture.store()];
    await Promise.all([one, other].map((store) => store.write(profile(store.newId()), '{}')));
    expect(await one.list()).toEqual(await other.list());
    expect(await one.list()).toHaveLength(2);
  });
});

describe('a lookup by an invalid id', () => {
  it.each([
    '',
    '.',
    '../x',
    '..',
    '%2e%2e',
    '%2e%2e%2fsecret',
    '/etc/passwd',
    'C:\\x',
    `${idAt(0)}\0`,
    `${idAt(0)}\n`,
    ` ${idAt(0)}`,
    `../profiles/${idAt(0)}`,
    `${idAt(0)}/../x`,
    `${idAt(0)}.cpuprofile`,
    idAt(0).toUpperCase(),
    'x'.repeat(1_000_000),
    '1'.repeat(1_000_000),
  ])('finds nothing: %.40j', async (id) => {
    fixture.layProfile(idAt(0));
    writeFileSync(join(fixture.root, 'x.json'), JSON.stringify(profile('../x')));
    const store = fixture.store({ maxAgeMs: Number.MAX_SAFE_INTEGER });
    expect(await store.get(idAt(0))).toBeDefined();
    expect(await store.get(id)).toBeUndefined();
    expect(await store.open(id)).toBeUndefined();
    expect(() => store.pathOf(id, 'cpu')).toThrow(RangeError);
    expect(await store.write(profile(id), '{}')).toBeUndefined();
    expect(fixture.names()).toHaveLength(2);
  });

  it.each([undefined, null, 7, [idAt(0)], { toString: () => idAt(0) }])(
    'finds nothing if it is not a string: %j',
    async (id) => {
      fixture.layProfile(idAt(0));
      const store = fixture.store({ maxAgeMs: Number.MAX_SAFE_INTEGER });
      expect(await store.get(id as string)).toBeUndefined();
      expect(await store.open(id as string)).toBeUndefined();
      expect(() => store.pathOf(id as string, 'cpu')).toThrow(RangeError);
    },
  );
});

describe('a file on disk', () => {
  const id = idAt(Date.now());

  it('has its actual size and path, regardless of its description', async () => {
    fixture.layProfile(id, '12345', { ...profile(id), bytes: 1, path: '/etc/passwd', more: 'unknown' });
    const info = { ...profile(id), bytes: 5, path: join(fixture.directory, `${id}.cpuprofile`) };
    expect(await fixture.store().list()).toEqual([info]);
    const opened = await fixture.store().open(id);
    expect(opened?.info).toEqual(info);
    opened?.content.destroy();
  });

  it.each([
    ['of another id', { ...profile(idAt(0)) }],
    ['of an unknown type', { ...profile(id), type: '../../etc' }],
    ['of a type of all objects', { ...profile(id), type: 'constructor' }],
    ['of another type than the file', { ...profile(id), type: 'allocations' }],
    ['with text for a number', { ...profile(id), startedAt: 'x' }],
    ['with no number', { ...profile(id), durationMs: null }],
    ['with a number for a reason', { ...profile(id), reason: 1 }],
    ['with a broken operation', { ...profile(id), operation: { type: 'http', name: {} } }],
    ['with text for samples', { ...profile(id), samples: '12' }],
    ['that is a list', [profile(id)]],
  ])('with a description %s is ignored', async (_what, description) => {
    fixture.layProfile(id, '{}', description);
    // Where a type without an ending would lead.
    fixture.lay(`${id}.undefined`);
    const store = fixture.store();
    expect([await store.list(), await store.get(id), await store.open(id)]).toEqual([
      [],
      undefined,
      undefined,
    ]);
  });

  it.each([
    ['null', 'null'],
    ['half written', '{"id":'],
    ['empty', ''],
    ['too large', JSON.stringify({ ...profile(id), more: 'x'.repeat(64 * 1024) })],
  ])('with a description that is %s is ignored', async (_what, text) => {
    fixture.layProfile(id);
    fixture.lay(`${id}.json`, text);
    expect(await fixture.store().list()).toEqual([]);
    expect(await fixture.store().get(id)).toBeUndefined();
  });

  it('is not read if it is a symbolic link', async () => {
    const secret = join(fixture.root, 'secret');
    writeFileSync(secret, 'secret');
    fixture.lay(`${id}.json`, JSON.stringify(profile(id)));
    symlinkSync(secret, join(fixture.directory, `${id}.cpuprofile`));
    const store = fixture.store();
    expect([await store.list(), await store.get(id), await store.open(id)]).toEqual([
      [],
      undefined,
      undefined,
    ]);
  });

  it('is not read if its description is a symbolic link', async () => {
    const elsewhere = join(fixture.root, 'elsewhere');
    writeFileSync(elsewhere, JSON.stringify(profile(id)));
    fixture.lay(`${id}.cpuprofile`, '{}');
    symlinkSync(elsewhere, join(fixture.directory, `${id}.json`));
    expect(await fixture.store().get(id)).toBeUndefined();
  });

  it('is not touched if it is not a profile', async () => {
    for (const name of ['notes.txt', `${id}.cpuprofile.bak`, `x${id}.json`, `${id}.json.0.tmp`])
      fixture.lay(name);
    const store = fixture.store({ maxFiles: 1, maxBytes: 1000 });
    for (let i = 0; i < 3; i++) await store.write(profile(store.newId()), '{}');
    expect(await store.list()).toHaveLength(1);
    expect(fixture.names()).toHaveLength(4 + 2);
  });
});
