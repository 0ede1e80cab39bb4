import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cgroupMemory } from '../../lib/process/cgroup-memory.js';
import { type MemoryRoom, memoryRoom } from '../../lib/profiling/memory-limits.js';
import { HeapPrograms } from './heap-programs.js';

const MB = 1024 * 1024;
const LINUX = process.platform === 'linux';
const NO_LIMIT_V1 = '9223372036854771712';
const root = mkdtempSync(join(tmpdir(), 'cgroups-'));
const programs = new HeapPrograms();
beforeAll(() => programs.build());
afterAll(() => {
  programs.remove();
  rmSync(root, { recursive: true, force: true });
});

/** Lays out control groups as the kernel shows them, and reads what they leave. */
function read(name: string, membership: string, files: Record<string, string | number>) {
  const folder = join(root, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'membership'), `${membership}\n`);
  return cgroupMemory({ root: folder, membership: join(folder, 'membership') });
}

describe('cgroupMemory', () => {
  it('reads the limit of its own group, version 2', () => {
    expect(
      read('own', '0::/app', {
        'app/memory.max': 100 * MB,
        'app/memory.high': 'max',
        'app/memory.current': 60 * MB,
      }),
    ).toEqual({ limitBytes: 100 * MB, restBytes: 40 * MB });
  });

  it('reads the limit of an ancestor that leaves less', () => {
    expect(
      read('nested', '0::/pod/app', {
        'pod/memory.max': 100 * MB,
        'pod/memory.current': 90 * MB,
        'pod/app/memory.max': 80 * MB,
        'pod/app/memory.current': 30 * MB,
      }),
    ).toEqual({ limitBytes: 100 * MB, restBytes: 10 * MB });
    expect(
      read('around', '0::/pod/app', {
        'pod/memory.max': 100 * MB,
        'pod/memory.current': 90 * MB,
        'pod/app/memory.max': 'max',
        'pod/app/memory.current': 30 * MB,
      }),
    ).toEqual({ limitBytes: 100 * MB, restBytes: 10 * MB });
  });

  it('counts reclaimable memory as available', () => {
    const stat = `anon ${50 * MB}\ninactive_file ${20 * MB}\nactive_file 7`;
    expect(
      read('cache', '0::/', { 'memory.max': 100 * MB, 'memory.current': 75 * MB, 'memory.stat': stat }),
    ).toEqual({ limitBytes: 100 * MB, restBytes: 45 * MB });
  });

  it('respects the limit above which a process is throttled', () => {
    expect(
      read('high', '0::/app', {
        'app/memory.max': 'max',
        'app/memory.high': 100 * MB,
        'app/memory.current': 130 * MB,
      }),
    ).toEqual({ limitBytes: 100 * MB, restBytes: -30 * MB });
  });

  it('reads version 1, also in a container, where the path is that of the host', () => {
    const own = {
      'memory/memory.limit_in_bytes': 100 * MB,
      'memory/memory.usage_in_bytes': 60 * MB,
      'memory/memory.stat': `inactive_file 1\ntotal_inactive_file ${10 * MB}`,
    };
    const expected = { limitBytes: 100 * MB, restBytes: 50 * MB };
    expect(read('v1', '5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/', own)).toEqual(expected);
    expect(
      read('v1-nested', '4:hugetlb,memory:/a/b', {
        'memory/a/memory.limit_in_bytes': 100 * MB,
        'memory/a/memory.usage_in_bytes': 60 * MB,
        'memory/a/b/memory.limit_in_bytes': NO_LIMIT_V1,
        'memory/a/b/memory.usage_in_bytes': 10 * MB,
      }),
    ).toEqual({ limitBytes: 100 * MB, restBytes: 40 * MB });
  });

  it('is undefined without a limit, or without readable files', () => {
    const unlimited = {
      'memory/a/memory.limit_in_bytes': NO_LIMIT_V1,
      'memory/a/memory.usage_in_bytes': 5,
    };
    expect(read('unlimited-v1', '4:memory:/a', unlimited)).toBeUndefined();
    expect(read('unlimited', '0::/a', { 'a/memory.max': 'max', 'a/memory.current': 5 })).toBeUndefined();
    expect(read('odd', '0::/../a', { 'memory.max': 'nonsense', 'memory.current': '' })).toBeUndefined();
    expect(read('without-usage', '0::/', { 'memory.max': 5 })).toBeUndefined();
    expect(read('empty', '', {})).toBeUndefined();
    expect(cgroupMemory({ root, membership: join(root, 'missing') })).toBeUndefined();
  });
});

describe('memoryRoom', () => {
  const roomOf = (
    ...run: Parameters<HeapPrograms['result']> extends [string, ...infer Rest] ? Rest : never
  ) => programs.result<MemoryRoom>('room.mjs', ...run);

  it('reads the memory of this process and what it can take', () => {
    const room = memoryRoom();
    expect(room.availableBytes).toBeGreaterThan(0);
    expect(room.availableBytes).toBeLessThanOrEqual(totalmem());
    expect(room.heapUsedBytes).toBeGreaterThan(5 * MB);
    expect(room.heapLimitBytes).toBeGreaterThan(room.heapUsedBytes);
    expect(room.heapLargeBytes).toBeLessThan(room.heapUsedBytes);
    expect(room.externalBytes).toBeGreaterThan(0);
  });

  it("knows the size of the old generation from flags, the environment and a worker's limits", async () => {
    const [flag, environment, both, semi, worker] = await Promise.all([
      roomOf({ execArgv: ['--max-old-space-size=100'] }),
      roomOf({ env: { NODE_OPTIONS: '--max_old_space_size=90' } }),
      roomOf({ env: { NODE_OPTIONS: '--max-old-space-size=90' }, execArgv: ['--max-old-space-size=80'] }),
      roomOf({ execArgv: ['--max-semi-space-size=32'] }),
      roomOf({ argv: ['worker'] }),
    ]);
    expect([flag, environment, both, worker].map(({ heapLimitBytes }) => heapLimitBytes / MB)).toEqual([
      100, 90, 80, 77,
    ]);
    // Which is a round number, and what the machine's memory makes of it.
    expect((semi.heapLimitBytes / MB) % 128).toBe(0);
  });

  (LINUX ? it : it.skip)('respects ulimit -v and ulimit -d', async () => {
    const [space, data] = await Promise.all([
      roomOf({ before: 'ulimit -v 3000000' }),
      roomOf({ before: 'ulimit -d 2000000' }),
    ]);
    expect(space.limitBytes).toBe(3_000_000 * 1024);
    // Reserved memory counts as well: a few hundred MB on every version of Node.
    expect(space.availableBytes).toBeLessThan(2_700_000 * 1024);
    expect(data.limitBytes).toBe(2_000_000 * 1024);
    expect(data.availableBytes).toBeLessThan(2_000_000 * 1024);
    expect(data.availableBytes).toBeGreaterThan(0);
  });

  const canMount = LINUX && spawnSync('unshare', ['-m', 'true']).status === 0;
  (canMount ? it : it.skip)(
    'respects the ancestors of its control group, which Node does not consider',
    async () => {
      const before = `
      mount --make-rprivate /
      mount -t tmpfs none /sys/fs/cgroup
      mkdir -p /sys/fs/cgroup/pod/app
      cd /sys/fs/cgroup/pod
      echo ${300 * MB} > memory.max
      echo ${200 * MB} > memory.current
      echo max > app/memory.max
      echo ${50 * MB} > app/memory.current
      echo 0::/pod/app > "$PROFILES/membership"
      mount --bind "$PROFILES/membership" /proc/$$/cgroup`;
      const room = await roomOf({ through: ['unshare', '-m'], before });
      expect(room).toMatchObject({ limitBytes: 300 * MB, availableBytes: 100 * MB });
    },
  );

  it('works without files if Node may not read them', async () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const folders = [programs.folder, join(__dirname, 'heap-programs')];
    const room = await roomOf({
      execArgv: [flag, ...folders.map((folder) => `--allow-fs-read=${folder}/*`)],
    });
    expect(room.availableBytes).toBeGreaterThan(0);
    expect(room.availableBytes).toBeLessThanOrEqual(totalmem());
  });
});
