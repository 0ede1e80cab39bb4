import { type HeapProfiler, type Profiler, Session } from 'node:inspector';
import { runInThisContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { encodeAllocationsPprof, encodeCpuPprof } from '../../lib/profiling/pprof.js';
import { decodePprof } from './pprof-decoder.js';

/** Sets V8's position of each function to line 11 of a file, so that neither source maps nor Jest matter. */
function codeAt<T>(filename: string, code: string): T {
  return runInThisContext(`(${code})`, { filename, lineOffset: 10 }) as T;
}

const burn = codeAt<(rounds: number) => number>(
  'file:///srv/my%20app/burn.js',
  `function burn(rounds) {
     let sum = 0;
     for (let i = 0; i < rounds; i++) sum += Math.sqrt(i ^ rounds);
     return sum;
   }`,
);
const caller = codeAt<(burn: (rounds: number) => number, until: () => boolean) => number>(
  '/srv/caller.js',
  `function caller(burn, until) {
     let sum = 0;
     while (!until()) sum += burn(20000);
     return sum;
   }`,
);
const keeping = codeAt<(count: number) => object[]>(
  'file:///srv/keep.mjs',
  `function keeping(count) {
     return Array.from({ length: count }, (_, i) => ({ i, text: 'x' + i, more: [i, i, i] }));
   }`,
);

function post<T>(session: Session, method: string, params: object = {}): T {
  let answer: unknown;
  session.post(method, params, (error, result) => {
    if (error) throw error;
    answer = result;
  });
  return answer as T;
}

/** The inspector's profile of real work with a given number of samples. */
function cpuProfile(): Profiler.Profile {
  const session = new Session();
  session.connect();
  try {
    post(session, 'Profiler.enable');
    post(session, 'Profiler.setSamplingInterval', { interval: 1000 });
    post(session, 'Profiler.start');
    const end = performance.now() + 150;
    caller(burn, () => performance.now() > end);
    return post<{ profile: Profiler.Profile }>(session, 'Profiler.stop').profile;
  } finally {
    session.disconnect();
  }
}

const FRAME = { functionName: 'f', scriptId: '7', url: '/srv/f.js', lineNumber: 4, columnNumber: 1 };
const ROOT = { functionName: '(root)', scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 };
const frame = (functionName: string, more = {}): Profiler.ProfileNode['callFrame'] => ({
  ...FRAME,
  functionName,
  ...more,
});
const builtIn = (functionName: string): Profiler.ProfileNode['callFrame'] => ({ ...ROOT, functionName });
const profileOf = (nodes: object[], more: object = {}): Profiler.Profile =>
  ({ nodes, startTime: 1000, endTime: 9000, ...more }) as Profiler.Profile;
const OPTIONS = { startedAt: 1_700_000_000_123.25, intervalUs: 1000 };
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

describe('a CPU profile of real work', () => {
  const profile = cpuProfile();

  it('keeps names, paths, lines and all busy time', async () => {
    const decoded = decodePprof(await encodeCpuPprof(profile, OPTIONS));
    expect(decoded.types).toEqual(['samples/count', 'cpu/nanoseconds']);
    expect(decoded.period).toBe('cpu/nanoseconds 1000000');
    expect(decoded.timeNanos).toBe(1_700_000_000_123_250_000n);
    expect(decoded.durationNanos).toBe((profile.endTime - profile.startTime) * 1000);

    const hottest = decoded.samples
      .filter(({ frames }) => frames[0]?.name === 'burn')
      .sort((a, b) => (b.values[1] ?? 0) - (a.values[1] ?? 0))[0];
    expect(hottest?.frames.slice(0, 2)).toEqual([
      { name: 'burn', file: '/srv/my app/burn.js', startLine: 11, line: 13 },
      { name: 'caller', file: '/srv/caller.js', startLine: 11, line: 11 },
    ]);
    expect(decoded.samples.flatMap(({ frames }) => frames.map(({ name }) => name))).not.toContain('(root)');

    const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
    const shown = (profile.samples ?? []).filter((id) => !['(idle)', '(root)'].includes(names.get(id) ?? ''));
    expect(sum(decoded.samples.map(({ values }) => values[0] ?? 0))).toBe(shown.length);
    const burnt = sum(decoded.samples.map(({ values }) => values[1] ?? 0));
    expect(burnt).toBeGreaterThan(0);
    expect(burnt).toBeLessThanOrEqual(decoded.durationNanos);
    // One sample for each path, not one for each of V8's.
    expect(decoded.samples.length).toBeLessThan(shown.length);
  });

  it('sets the labels of each sample', async () => {
    const labels = { span_id: '00f067aa0ba902b7', odd: '},"\n' };
    const decoded = decodePprof(await encodeCpuPprof(profile, { ...OPTIONS, labels }));
    expect(decoded.samples.length).toBeGreaterThan(0);
    for (const sample of decoded.samples) expect(sample.labels).toEqual(labels);
  });
});

describe('a CPU profile from a file', () => {
  it('counts self time until the next sample, without idle time', async () => {
    const decoded = decodePprof(
      await encodeCpuPprof(
        profileOf(
          [
            { id: 1, callFrame: ROOT, children: [2, 3, 5, 6] },
            { id: 2, callFrame: builtIn('(idle)') },
            { id: 3, callFrame: frame(''), children: [4] },
            {
              id: 4,
              callFrame: frame('leaf', { url: 'node:fs' }),
              positionTicks: [{ line: 9, ticks: 2 }, null, {}],
            },
            { id: 5, callFrame: builtIn('(program)') },
            { id: 6, callFrame: builtIn('(garbage collector)') },
          ],
          // The fourth is reported late: time does not go back for it.
          { samples: [1, 4, 2, 4, 3, 5, 6], timeDeltas: [0, 1000, 2000, -500, 1500, 1000, 1000] },
        ),
        OPTIONS,
      ),
    );
    expect(
      decoded.samples.map(({ frames, values }) => [
        frames.map(({ name, line }) => `${name}:${line}`),
        values,
      ]),
    ).toEqual([
      [['(anonymous):5'], [1, 1_000_000]],
      [
        ['leaf:9', '(anonymous):5'],
        [2, 3_000_000],
      ],
      [['(program):0'], [1, 1_000_000]],
      [['(garbage collector):0'], [1, 2_000_000]],
    ]);
  });

  it('reads hit counts if there are no samples, and parents if there are no children', async () => {
    const nodes = [
      { id: 1, callFrame: ROOT },
      { id: 2, parent: 1, callFrame: { functionName: 'bare' }, hitCount: 3 },
      { id: 3, parent: 2, callFrame: frame('inner'), children: [99], hitCount: 1 },
      { id: 4, parent: 98, callFrame: frame('orphan'), hitCount: 1 },
    ];
    const decoded = decodePprof(await encodeCpuPprof(profileOf(nodes), OPTIONS));
    expect(decoded.samples.map(({ frames, values }) => [frames.map(({ name }) => name), values])).toEqual([
      [['bare'], [3, 3_000_000]],
      [
        ['inner', 'bare'],
        [1, 1_000_000],
      ],
      [['orphan'], [1, 1_000_000]],
    ]);
  });

  it('may be empty', async () => {
    const decoded = decodePprof(
      await encodeCpuPprof(profileOf([], { samples: [], timeDeltas: [] }), OPTIONS),
    );
    expect(decoded.samples).toEqual([]);
  });

  const one = [{ id: 1, callFrame: FRAME }];
  it.each<[string, unknown, string]>([
    ['no object', null, 'Invalid profile: received null, expected an object'],
    ['nodes missing', {}, 'Invalid profile.nodes: received undefined, expected an array'],
    [
      'nodes no array',
      profileOf({} as never),
      'Invalid profile.nodes: received an object, expected an array',
    ],
    [
      'a node that is none',
      profileOf([7 as never]),
      'Invalid profile.nodes[0]: received 7, expected an object',
    ],
    [
      'an id that is none',
      profileOf([{ id: '1' }]),
      'Invalid profile.nodes[0].id: received "1", expected a whole',
    ],
    [
      'an id twice',
      profileOf([...one, ...one]),
      'Invalid profile.nodes[1].id: received 1, expected an id that no',
    ],
    [
      'no frame',
      profileOf([{ id: 1 }]),
      'Invalid profile.nodes[0].callFrame: received undefined, expected an object',
    ],
    [
      'no name',
      profileOf([{ id: 1, callFrame: {} }]),
      'Invalid profile.nodes[0].callFrame.functionName: received undefined',
    ],
    [
      'a sample of no node',
      profileOf(one, { samples: [1, 42], timeDeltas: [1, 1] }),
      'Invalid profile.samples[1]: received 42',
    ],
    ['samples alone', profileOf(one, { samples: [1] }), 'Invalid profile.timeDeltas: received undefined'],
    [
      'a time too few',
      profileOf(one, { samples: [1, 1], timeDeltas: [1] }),
      'Invalid profile.timeDeltas.length: received 1, expected one for each of the 2 samples',
    ],
    [
      'a time that is none',
      profileOf(one, { samples: [1], timeDeltas: [null] }),
      'Invalid profile.timeDeltas[0]: received null',
    ],
    ['an end that is none', profileOf(one, { endTime: 'now' }), 'Invalid profile.endTime: received "now"'],
    [
      'its own parent',
      profileOf([{ id: 1, callFrame: FRAME, children: [1] }]),
      'Invalid profile.nodes[0]: the node is its own ancestor',
    ],
    [
      'parents in a ring',
      profileOf([
        { id: 1, callFrame: FRAME, parent: 3 },
        { id: 2, callFrame: FRAME, parent: 1 },
        { id: 3, callFrame: FRAME, parent: 2 },
      ]),
      'Invalid profile.nodes[0]: the node is its own ancestor, expected a tree',
    ],
  ])('is refused with %s', async (_what, profile, message) => {
    const encoded = encodeCpuPprof(profile as Profiler.Profile, OPTIONS);
    await expect(encoded).rejects.toBeInstanceOf(TypeError);
    await expect(encoded).rejects.toThrow(message);
  });
});

describe('a profile of allocations', () => {
  it('keeps every byte, by the place of its allocation', async () => {
    const session = new Session();
    session.connect();
    let profile: HeapProfiler.SamplingHeapProfile;
    let kept: object[];
    try {
      post(session, 'HeapProfiler.startSampling', { samplingInterval: 4096 });
      kept = keeping(20_000);
      profile = post<{ profile: HeapProfiler.SamplingHeapProfile }>(
        session,
        'HeapProfiler.stopSampling',
      ).profile;
    } finally {
      session.disconnect();
    }
    expect(kept.length).toBe(20_000);
    const decoded = decodePprof(
      await encodeAllocationsPprof(profile, {
        startedAt: 1_700_000_000_000,
        durationMs: 1500,
        intervalBytes: 4096,
        labels: { reason: 'memory' },
      }),
    );
    expect(decoded.types).toEqual(['inuse_objects/count', 'inuse_space/bytes']);
    expect(decoded.period).toBe('space/bytes 4096');
    expect(decoded.durationNanos).toBe(1.5e9);

    const sizes = (node: HeapProfiler.SamplingHeapProfileNode): number =>
      (node.callFrame.functionName === '(root)' ? 0 : node.selfSize) + sum(node.children.map(sizes));
    expect(sum(decoded.samples.map(({ values }) => values[1] ?? 0))).toBe(sizes(profile.head));
    const ours = decoded.samples.filter(({ frames }) => frames.some(({ name }) => name === 'keeping'));
    expect(ours.length).toBeGreaterThan(0);
    const keeper = ours[0]?.frames.find(({ name }) => name === 'keeping');
    expect(keeper).toEqual({ name: 'keeping', file: '/srv/keep.mjs', startLine: 11, line: 11 });
    for (const { values, labels } of ours) {
      expect(values[0]).toBeGreaterThan(0);
      expect(labels).toEqual({ reason: 'memory' });
    }
  });

  const about = { startedAt: 0, durationMs: 1 };
  it('needs neither samples nor children, and has a default interval', async () => {
    const head: object = { id: 1, callFrame: FRAME, selfSize: 10.4 };
    const profile = { head } as HeapProfiler.SamplingHeapProfile;
    const decoded = decodePprof(await encodeAllocationsPprof(profile, about));
    expect(decoded.samples.map(({ values }) => values)).toEqual([[1, 10]]);
    expect(decoded.period).toBe('space/bytes 32768');
  });

  it.each<[string, unknown, string]>([
    ['no head', {}, 'Invalid profile.head: received undefined, expected an object'],
    [
      'children no array',
      { head: { id: 1, callFrame: FRAME, children: 3 } },
      'Invalid profile.head.children: received 3',
    ],
    [
      'an id twice',
      { head: { id: 1, callFrame: FRAME, children: [{ id: 1, callFrame: FRAME }] } },
      'Invalid profile.head.children[0].id: received 1',
    ],
    [
      'a size that is none',
      { head: { id: 1, callFrame: FRAME, selfSize: '1' } },
      'Invalid selfSize of node 1: received "1"',
    ],
  ])('is refused with %s', async (_what, profile, message) => {
    const encoded = encodeAllocationsPprof(profile as HeapProfiler.SamplingHeapProfile, about);
    await expect(encoded).rejects.toBeInstanceOf(TypeError);
    await expect(encoded).rejects.toThrow(message);
  });
});
