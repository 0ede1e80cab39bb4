import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { decodeProfile, encodeProfile, MAX_PROFILE_TEXT_BYTES } from '../../lib/fleet/profile-record.js';
import { infoOf, P1, P2, PROFILE, profilesOf } from './profiles.js';
import { mapStore, simulated, slowOperation } from './simulated-instance.js';

const TEXT = JSON.stringify(PROFILE);
const keysIn = ({ values }: ReturnType<typeof mapStore>): string[] =>
  [...values.keys()].filter((key) => key.includes(':profile:')).map((key) => key.slice(-P1.length));

describe('the profile of a slow operation in a store', () => {
  it('is found by other instances of its service, with its description', async () => {
    const store = mapStore();
    const one = simulated('one', { store }, { profiles: profilesOf({ [P1]: TEXT }) });
    one.slow.add(slowOperation('a1', { profile: P1 }));
    await one.fleet.publish();
    const { path: _path, bytes, ...info } = infoOf(P1, Buffer.byteLength(TEXT));
    const { fleet } = simulated('reader', { store });
    const found = await fleet.profile(P1);
    expect(found).toEqual({ instance: 'one', bytes, info, content: expect.any(String) });
    expect(JSON.parse(found?.content ?? '')).toEqual(PROFILE);
    expect(await fleet.profile(P2)).toBeUndefined();
    expect(await fleet.profile('../../../../etc/passwd')).toBeUndefined();
    expect(await simulated('other', { store }, { service: 'stock' }).fleet.profile(P1)).toBeUndefined();
  });

  it('is written once its file exists, and not looked for more than three times', async () => {
    const store = mapStore();
    const texts: Record<string, string> = {};
    const asked: string[] = [];
    const files = profilesOf(texts);
    const get: typeof files.get = (id, maxBytes) => {
      asked.push(id);
      return files.get(id, maxBytes);
    };
    const one = simulated('one', { store }, { profiles: { get } });
    one.slow.add(slowOperation('a1', { profile: P1 }));
    one.slow.add(slowOperation('a2', { profile: P2 }));
    await one.fleet.publish();
    expect(keysIn(store)).toEqual([]);
    texts[P1] = TEXT;
    for (let time = 0; time < 4; time++) await one.fleet.publish();
    expect(keysIn(store)).toEqual([P1]);
    expect(asked.filter((id) => id === P1)).toHaveLength(2);
    expect(asked.filter((id) => id === P2)).toHaveLength(3);
  });

  it('leaves the store with its operation, of which the latest 20 are kept', async () => {
    const store = mapStore();
    const ids = Array.from(
      { length: 23 },
      (_, index) => `20260101T000000-1-${String(index).padStart(6, '0')}-0123ab`,
    );
    const one = simulated(
      'one',
      { store },
      { profiles: profilesOf(Object.fromEntries(ids.map((id) => [id, TEXT]))) },
    );
    for (const [index, profile] of ids.slice(0, 20).entries())
      one.slow.add(slowOperation(`a${index}`, { profile, timestamp: Date.now() + index }));
    await one.fleet.publish();
    expect(keysIn(store)).toHaveLength(5);
    for (let time = 0; time < 4; time++) await one.fleet.publish();
    expect(keysIn(store)).toHaveLength(20);
    for (const [index, profile] of ids.slice(20).entries())
      one.slow.add(slowOperation(`b${index}`, { profile, timestamp: Date.now() + 100 + index }));
    await one.fleet.publish();
    expect(keysIn(store).sort()).toEqual(ids.slice(3));
  });

  it('that is too large is only described', async () => {
    const store = mapStore();
    const random = Array.from({ length: 40_000 }, () => Math.floor(Math.random() * 1e12));
    const dense = JSON.stringify({ ...PROFILE, timeDeltas: random, samples: random.map(() => 3) });
    const profiles = profilesOf({ [P1]: undefined, [P2]: dense });
    const one = simulated('one', { store }, { profiles });
    one.slow.add(slowOperation('a1', { profile: P1 }));
    one.slow.add(slowOperation('a2', { profile: P2 }));
    await one.fleet.publish();
    const { fleet } = simulated('reader', { store });
    expect(await fleet.profile(P1)).toMatchObject({ instance: 'one', bytes: 5_000_000, content: undefined });
    expect(await fleet.profile(P2)).toMatchObject({ bytes: Buffer.byteLength(dense), content: undefined });
    for (const [key, text] of store.values)
      if (key.includes(':profile:')) expect(String(text).length).toBeLessThanOrEqual(MAX_PROFILE_TEXT_BYTES);
  });

  it('is a CPU profile: a heap snapshot contains secrets', async () => {
    const info = infoOf(P1, 2, 'heap_snapshot');
    expect(await encodeProfile('shop', 'one', { info, text: '{}' })).toBeUndefined();
    const text = await encodeProfile('shop', 'one', { info: infoOf(P1, 2), text: TEXT });
    expect(await decodeProfile('shop', P1, text?.replace('"cpu"', '"heap_snapshot"'))).toBeUndefined();
  });
});

// biome-ignore lint/suspicious/noExplicitAny: any value may be replaced.
type Change = (value: any) => unknown;

describe('what others have written as a profile', () => {
  const valid = (): Promise<string | undefined> =>
    encodeProfile('shop', 'one', { info: infoOf(P1, 500), text: TEXT });

  const RECORDS: readonly [string, Change][] = [
    ['another format', (record) => ({ ...record, format: 'x' })],
    ['a newer format', (record) => ({ ...record, formatVersion: 2 })],
    ['another service', (record) => ({ ...record, service: 'stock' })],
    ['the id of another profile', (record) => ({ ...record, info: { ...record.info, id: P2 } })],
    ['no description', ({ info: _info, ...record }) => record],
    ['a description of texts', (record) => ({ ...record, info: { ...record.info, startedAt: '1' } })],
    ['an instance that is no text', (record) => ({ ...record, instance: { toString: 'x' } })],
    ['an instance of many characters', (record) => ({ ...record, instance: 'x'.repeat(2000) })],
    ['a size that is no number', (record) => ({ ...record, bytes: '1' })],
    ['content that is not compressed', (record) => ({ ...record, content: 'AAAA' })],
    ['content that is an object', (record) => ({ ...record, content: {} })],
    [
      'content of 300 MB',
      (record) => ({
        ...record,
        content: gzipSync(Buffer.alloc(3e8)).subarray(0, 150_000).toString('base64'),
      }),
    ],
    [
      'content that grows to 4 MB',
      (record) => ({ ...record, content: gzipSync(TEXT + ' '.repeat(4e6)).toString('base64') }),
    ],
    ['too many bytes', (record) => ({ ...record, more: 'ü'.repeat(140_000) })],
    ['nothing', () => null],
    ['a list', () => []],
  ];

  it.each(RECORDS)('with %s is no profile', async (_, change) => {
    const record = JSON.parse((await valid()) ?? '');
    expect(await decodeProfile('shop', P1, JSON.stringify(record))).toBeDefined();
    expect(await decodeProfile('shop', P1, JSON.stringify(change(record)))).toBeUndefined();
  });

  const node = (id: number, children?: number[], more: object = {}): object => ({
    ...{ id, hitCount: 0, callFrame: { functionName: `f${id}`, url: '', lineNumber: -1, columnNumber: -1 } },
    ...(children === undefined ? {} : { children }),
    ...more,
  });
  const CONTENTS: readonly [string, Change][] = [
    ['no nodes', ({ nodes: _nodes, ...profile }) => profile],
    ['nodes in a circle', (profile) => ({ ...profile, nodes: [node(1, [2]), node(2, [1])] })],
    ['the same node twice', (profile) => ({ ...profile, nodes: [node(1), node(1)] })],
    [
      'a stack of 600 calls',
      (profile) => ({
        ...profile,
        nodes: Array.from({ length: 600 }, (_, index) => node(index + 1, index < 599 ? [index + 2] : [])),
      }),
    ],
    ['a node without a function', (profile) => ({ ...profile, nodes: [{ id: 1, callFrame: {} }] })],
    ['samples of unknown nodes', (profile) => ({ ...profile, samples: [77, 77, 77] })],
    ['times that are texts', (profile) => ({ ...profile, timeDeltas: ['1', '2', '3'] })],
    ['a start that is a text', (profile) => ({ ...profile, startTime: 'now' })],
    ['a list', () => []],
    ['nothing', () => null],
  ];

  const withContent = async (content: string): Promise<string> => {
    const record = JSON.parse((await valid()) ?? '');
    return JSON.stringify({ ...record, content: gzipSync(content).toString('base64') });
  };

  it.each(CONTENTS)('that has %s is no profile', async (_, change) => {
    const text = await withContent(JSON.stringify(change(PROFILE)));
    expect(await decodeProfile('shop', P1, text)).toBeUndefined();
  });

  it('has no fields that are not known, and each node has one parent', async () => {
    const nodes = [node(1, [2, 3]), node(2, [3], { evil: 'x' }), node(3, [], { parent: 1 })];
    const text = await withContent(
      JSON.stringify({ ...PROFILE, nodes, samples: [], timeDeltas: [], evil: { nested: true } }),
    );
    const content = (await decodeProfile('shop', P1, text))?.content ?? '';
    expect(content).not.toContain('evil');
    const children = JSON.parse(content).nodes.map((one: { children?: number[] }) => one.children ?? []);
    expect(children).toEqual([[2, 3], [], []]);
  });

  it('is as it was written, compressed', async () => {
    const { content } = JSON.parse((await valid()) ?? '') as { content: string };
    expect(gunzipSync(Buffer.from(content, 'base64')).toString()).toBe(TEXT);
  });
});
