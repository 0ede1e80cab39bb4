import { describe, expect, it } from '@jest/globals';
import { type CpuProfile, readProfile } from '../../lib/dashboard/page/cpu-profile.js';

const node = (id: number, functionName: string, url: string, children: number[] = [], lineNumber = id) => ({
  id,
  callFrame: { functionName, url, lineNumber },
  children,
});

/** `main` calls `work`, which calls itself and a dependency. Half of the time is idle. */
const PROFILE: CpuProfile = {
  nodes: [
    node(1, '(root)', '', [2, 3], -1),
    node(2, '(idle)', '', [], -1),
    node(3, 'main', 'file:///app/src/main.ts', [4]),
    node(4, 'work', 'src/work.ts', [5, 6], 9),
    node(5, 'work', 'src/work.ts', [], 9),
    node(6, '', '/app/node_modules/pg/lib/query.js'),
  ],
  startTime: 1_000_000,
  endTime: 1_100_000,
  samples: [4, 5, 6, 2, 3],
  timeDeltas: [5000, 10_000, 10_000, 10_000, 50_000],
};

describe('reading a CPU profile', () => {
  it('attributes the time until the next sample to a function, and excludes idle time', () => {
    const { root, busyMs, durationMs } = readProfile(PROFILE);
    expect(durationMs).toBe(100);
    // 10 ms for each of three samples, and 15 from the last one to the end.
    expect(busyMs).toBeCloseTo(45, 6);
    expect(root.children).toHaveLength(1);
    expect(root.children[0]).toMatchObject({
      name: 'main',
      file: '/app/src/main.ts',
      line: 4,
      selfMs: 15,
      value: 45,
    });
  });

  it('counts recursive calls once', () => {
    const { functions } = readProfile(PROFILE);
    expect(functions.map(({ name, selfMs, totalMs }) => [name, selfMs, totalMs])).toEqual([
      ['work', 20, 30],
      ['main', 15, 45],
      ['(anonymous)', 10, 10],
    ]);
  });

  it('identifies the owner of the code', () => {
    const owners = (name: string, url: string) =>
      readProfile({
        ...PROFILE,
        nodes: [node(1, '(root)', '', [2]), node(2, name, url)],
        samples: [2],
        timeDeltas: [0],
      }).functions[0]?.owner;
    expect(owners('list', 'src/albums.ts')).toBe('application');
    expect(owners('query', 'node_modules/pg/lib/query.js')).toBe('dependency');
    expect(owners('listOnTimeout', 'node:internal/timers')).toBe('node');
    expect(owners('(garbage collector)', '')).toBe('engine');
    expect(owners('(other operations)', '')).toBe('others');
  });

  it('is empty without samples', () => {
    const { nodes, startTime, endTime } = PROFILE;
    expect(readProfile({ nodes, startTime, endTime })).toMatchObject({ busyMs: 0, durationMs: 100 });
    expect(readProfile({ nodes: [], startTime, endTime }).functions).toEqual([]);
  });
});
