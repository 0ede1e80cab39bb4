import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { HeapSnapshots } from '../../lib/profiling/heap-snapshots.js';
import type { MemoryRoom } from '../../lib/profiling/memory-limits.js';
import { CaptureRefusedError, type ProfileInfo } from '../../lib/profiling/profile-info.js';
import { SnapshotQuota } from '../../lib/profiling/snapshot-quota.js';
import { HeapPrograms } from './heap-programs.js';

const MB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const programs = new HeapPrograms();
beforeAll(() => programs.build());
afterAll(() => programs.remove());

interface Snapshot {
  snapshot: {
    meta: { node_fields: string[]; edge_fields: string[]; node_types: [string[]] };
    node_count: number;
    edge_count: number;
  };
  nodes: number[];
  edges: number[];
  strings: string[];
}

interface Short {
  refusal: string | null;
  captured: string;
  files: string[];
  answer: string;
}

// After 60 seconds its programs are ended.
jest.setTimeout(70_000);

describe('HeapSnapshots', () => {
  it.each(['main', 'worker'])('takes a readable snapshot in the %s thread', async (thread) => {
    const { refusal, info, files, answer } = await programs.result<{
      refusal: string | null;
      info: ProfileInfo;
      files: string[];
      answer: string;
    }>('snapshot.mjs', { argv: [thread] });
    expect(refusal).toBeNull();
    expect(answer).toBe('here');
    expect(info).toMatchObject({
      type: 'heap_snapshot',
      reason: 'slow_operation',
      scope: 'process',
      operation: { type: 'method', name: 'Sessions.open' },
    });
    expect(info.path).toContain(`${info.id}.heapsnapshot`);
    expect(files.sort()).toEqual([`${info.id}.heapsnapshot`, `${info.id}.json`]);

    const text = readFileSync(info.path, 'utf8');
    expect(Buffer.byteLength(text)).toBe(info.bytes);
    const { snapshot, nodes, edges, strings } = JSON.parse(text) as Snapshot;
    const { node_fields, edge_fields, node_types } = snapshot.meta;
    expect(nodes).toHaveLength(snapshot.node_count * node_fields.length);
    expect(edges).toHaveLength(snapshot.edge_count * edge_fields.length);
    const name = strings.indexOf('LeakedSession');
    const object = node_types[0].indexOf('object');
    let leaked = 0;
    for (let at = 0; at < nodes.length; at += node_fields.length)
      if (nodes[at] === object && nodes[at + 1] === name) leaked++;
    expect(leaked).toBeGreaterThan(1000);
  });

  it('takes one at a time, with a cooldown per operation and a limit per hour', async () => {
    const result = await programs.result<Record<string, unknown>>('limits.mjs');
    const already = 'A heap snapshot is already being taken. Try again when it has ended.';
    const cooldown =
      'A heap snapshot was taken for this operation 60 s ago. The next one is allowed in 540 s.';
    const hourly = '2 heap snapshots were taken within the last hour; the limit is 2.';
    const refused = (sentence: string) => `CaptureRefusedError: ${sentence}`;
    expect(result).toEqual({
      first: 'kept',
      meanwhile: [already, refused(already), refused(already)],
      cooldown: [cooldown, refused(cooldown)],
      other: 'kept',
      hourly: [hourly, refused(hourly)],
      onDemand: 'kept',
      later: ['kept', 'kept'],
    });
  });

  it('leaves nothing of an aborted or failed capture, and takes the next one', async () => {
    const result = await programs.result<Record<string, unknown>>('abort.mjs');
    expect(result).toEqual({
      before: 'Error: too late',
      soon: 'Error: thought better of it',
      writing: 'Error: shut down',
      destroyed: true,
      left: [],
      again: 'kept',
      tooLarge: expect.stringMatching(
        /^CaptureRefusedError: The heap snapshot could not be stored: .*exceeds the limit/,
      ),
      refusal: null,
    });
  });

  it("stops V8's object tracking, unless a debugger may be comparing snapshots", async () => {
    const [alone, debugged] = await Promise.all([
      programs.result<{ number: number }>('object-ids.mjs'),
      programs.result<{ number: number }>('object-ids.mjs', { argv: ['debugged'] }),
    ]);
    expect(alone.number).toBe(0);
    expect(debugged.number).toBeGreaterThan(0);
  });

  describe('if a snapshot could end the process', () => {
    it('refuses near the limit of the heap, and the process survives', async () => {
      const { refusal, captured, files, answer } = await programs.result<Short>('short.mjs', {
        execArgv: ['--max-old-space-size=64'],
        argv: ['50'],
      });
      expect(refusal).toMatch(/^The heap holds 5\d MB of 64 MB: above 75 % V8 may end the process/);
      expect(captured).toMatch(/^CaptureRefusedError: The heap holds/);
      expect({ files, answer }).toEqual({ files: [], answer: 'here' });
    });

    it('takes a snapshot below that', async () => {
      const { captured, files, answer } = await programs.result<Short>('short.mjs', {
        execArgv: ['--max-old-space-size=64'],
        argv: ['38'],
      });
      expect(captured).toBe('kept');
      expect(files).toHaveLength(2);
      expect(answer).toBe('here');
    });

    const limits = process.platform === 'linux' ? ['ulimit -v 3000000', 'ulimit -d 2000000'] : [];
    (limits.length > 0 ? it : it.skip).each(limits)(
      'refuses for lack of memory within %s',
      async (before) => {
        const { refusal, captured, files, answer } = await programs.result<Short>('short.mjs', {
          before,
          argv: ['80'],
        });
        const sentence =
          /A heap snapshot of a heap of \d+ MB may take \d{4} MB of memory, but the process can take only \d+ MB more within its limit of \d+ MB\.$/;
        expect(refusal).toMatch(sentence);
        expect(captured).toMatch(sentence);
        expect({ files, answer }).toEqual({ files: [], answer: 'here' });
      },
    );

    it('refuses under the permission model, which forbids the inspector', async () => {
      const flag = process.allowedNodeEnvironmentFlags.has('--permission')
        ? '--permission'
        : '--experimental-permission';
      const net = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : [];
      const { refusal, files } = await programs.result<Short>('short.mjs', {
        execArgv: [flag, '--allow-fs-read=*', '--allow-fs-write=*', ...net],
        argv: ['8'],
      });
      expect(refusal).toMatch(/^The permission model forbids the inspector/);
      expect(files).toEqual([]);
    });
  });

  describe('with given available memory', () => {
    const room: MemoryRoom = {
      availableBytes: 2000 * MB,
      heapUsedBytes: 50 * MB,
      heapLargeBytes: 2 * MB,
      heapLimitBytes: 200 * MB,
      externalBytes: MB,
    };
    const store = {
      failure: undefined,
      flush: async () => {},
      write: async () => {
        throw new Error('nothing is written here');
      },
    };
    let reads = 0;
    let now = 1_700_000_000_000;
    const snapshots = (more: Partial<MemoryRoom>) =>
      new HeapSnapshots(
        store,
        { maxPerHour: 2, cooldownMs: 60_000 },
        () => {
          reads++;
          return { ...room, ...more };
        },
        () => now,
      );

    it.each<[string, Partial<MemoryRoom>, string | undefined]>([
      ['enough of all', {}, undefined],
      ['just enough memory', { availableBytes: 1130 * MB }, undefined],
      [
        'too little memory',
        { availableBytes: 1129 * MB },
        'A heap snapshot of a heap of 50 MB may take 1130 MB of memory, but the process can take only 1129 MB more.',
      ],
      [
        'large arrays',
        { heapLargeBytes: 20 * MB, limitBytes: 4000 * MB },
        'A heap snapshot of a heap of 50 MB may take 3812 MB of memory, but the process can take only 2000 MB more within its limit of 4000 MB.',
      ],
      ['a heap at 75 %', { heapUsedBytes: 60 * MB, heapLimitBytes: 80 * MB }, undefined],
      [
        'a heap above 75 %',
        { heapUsedBytes: 61 * MB, heapLimitBytes: 80 * MB },
        'The heap holds 61 MB of 80 MB: above 75 % V8 may end the process during a heap snapshot. Raise --max-old-space-size.',
      ],
    ])('judges %s', async (_what, more, refusal) => {
      expect(snapshots(more).refusal()).toBe(refusal);
      if (refusal === undefined) return;
      const captured = snapshots(more).capture({ id: 'x', reason: 'on_demand' });
      await expect(captured).rejects.toThrow(new CaptureRefusedError(refusal));
    });

    it('does not check the memory again within a second after a shortage', () => {
      const lacking = snapshots({ availableBytes: 0 });
      reads = 0;
      for (let times = 0; times < 100; times++) expect(lacking.refusal(`GET /${times}`)).toMatch(/0 MB more/);
      expect(reads).toBe(1);
      now += 1000;
      lacking.refusal();
      expect(reads).toBe(2);
    });
  });
});

describe('SnapshotQuota', () => {
  it('remembers a limited number of operations, the most recent ones', () => {
    const quota = new SnapshotQuota({ maxPerHour: 60, cooldownMs: 24 * HOUR_MS });
    for (let at = 0; at < 3000; at++) quota.count(`GET /${at}`, at);
    expect(quota.size).toBe(1000);
    const later = 3000 + HOUR_MS;
    expect(quota.refusal('GET /2999', later)).toMatch(/for this operation/);
    expect(quota.refusal('GET /2000', later)).toMatch(/for this operation/);
    expect(quota.refusal('GET /1999', later)).toBeUndefined();
  });

  it('counts only those of the last hour', () => {
    const quota = new SnapshotQuota({ maxPerHour: 2, cooldownMs: 0 });
    quota.count('a', 0);
    quota.count('b', 1000);
    expect(quota.refusal('c', HOUR_MS - 1)).toMatch(/^2 heap snapshots/);
    expect(quota.refusal('c', HOUR_MS)).toBeUndefined();
  });
});
