import type { Profiler } from 'node:inspector';
import { describe, expect, it } from '@jest/globals';
import { SourceMaps } from '../../lib/code/source-maps.js';
import { SourceTexts } from '../../lib/code/source-texts.js';
import { CodeNames } from '../../lib/profiling/code-names.js';
import { cut } from '../../lib/profiling/cut-profile.js';
import { ExecutionLog } from '../../lib/profiling/execution-log.js';
import { samplesOf } from '../../lib/profiling/operation-samples.js';
import type { SampleWindow } from '../../lib/profiling/sample-window.js';
import { type Call, IDLE_STACK, windowWith } from './windows.js';

const SERVE: Call = ['serve', 'node:http', 5];
const SELL: Call = ['sell', '/app/shop.js', 10];
const HASH: Call = ['hash', '/app/shop.js', 20];
const STARTED_US = 1_700_000_000_000_000;

/** Two windows that overlap; the operation 1 has the first three samples, and 2 the rest. */
const WINDOWS = [
  windowWith(0, 35.2, [
    [0.25, [SERVE, SELL]],
    [10.126, [SERVE, SELL, HASH]],
    [20.3, IDLE_STACK],
    [30.1, [SERVE, ['', '/app/shop.js', 30]]],
  ]),
  windowWith(29, 80, [
    [30.1, [SERVE, ['', '/app/shop.js', 30]]],
    [40.7, [HASH]],
    [50.7, [SERVE, SELL]],
    [70.7, [['(garbage collector)']]],
  ]),
];

const profileOf = async (
  own: boolean,
  windows: readonly SampleWindow[] = WINDOWS,
  to = 75.1115,
): Promise<Profiler.Profile> => {
  const executionLog = new ExecutionLog();
  for (const at of [0, 35]) executionLog.mark(executionLog.number(0), at);
  const samples = samplesOf(windows, { from: 0.1, to, number: 1, alone: false, whole: true }, executionLog);
  const part = cut(samples, own);
  return part.toProfile(
    await CodeNames.prepare(part.functions, new SourceMaps(), new SourceTexts()),
    STARTED_US + 0.25,
  );
};
/** The stacks of the samples, by name, from the outermost on. */
const stacksOf = ({ nodes, samples = [] }: Profiler.Profile): string[] => {
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return samples.map((sample) => {
    const names: string[] = [];
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id))
      names.unshift(byId.get(id)?.callFrame.functionName ?? '?');
    return names.join(' > ');
  });
};

describe.each([
  ['of all that ran', false],
  ['of the operation alone', true],
])('a profile %s', (_what, own) => {
  it('is consistent', async () => {
    const { nodes, samples = [], timeDeltas = [], startTime, endTime } = await profileOf(own);
    const ids = nodes.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const children = nodes.flatMap((node) => node.children ?? []);
    // Each but the root is the child of one.
    expect([...children].sort((a, b) => a - b)).toEqual(ids.filter((id) => id !== nodes[0]?.id));
    for (const sample of samples) expect(ids).toContain(sample);
    expect(samples).toHaveLength(7);
    expect(timeDeltas).toHaveLength(samples.length);
    for (const delta of timeDeltas) expect(delta).toBeGreaterThanOrEqual(0);
    expect(timeDeltas.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(endTime - startTime);
    for (const { id, hitCount } of nodes)
      expect(hitCount).toBe(samples.filter((sample) => sample === id).length);
    for (const number of [startTime, endTime, ...timeDeltas]) expect(Number.isInteger(number)).toBe(true);
    expect(endTime - startTime).toBe(75_012);
  });

  it('is consistent without samples', async () => {
    const { nodes, samples, timeDeltas, startTime, endTime } = await profileOf(own, [], 0.1);
    expect({ samples, timeDeltas, took: endTime - startTime }).toEqual({
      samples: [],
      timeDeltas: [],
      took: 0,
    });
    expect(nodes[0]?.callFrame.functionName).toBe('(root)');
  });
});

describe('cut', () => {
  it('merges the calls of all windows into one tree', async () => {
    const profile = await profileOf(false);
    expect(stacksOf(profile)).toEqual([
      '(root) > serve > sell',
      '(root) > serve > sell > hash',
      '(root) > (idle)',
      '(root) > serve > ',
      '(root) > hash',
      '(root) > serve > sell',
      '(root) > (garbage collector)',
    ]);
    expect(profile.samples?.[0]).toBe(profile.samples?.[5]);
    expect(profile.timeDeltas).toEqual([150, 9876, 10_174, 9800, 10_600, 10_000, 20_000]);
  });

  it('omits the code of others, but not its time', async () => {
    const others = '(root) > (other operations)';
    expect(stacksOf(await profileOf(true))).toEqual([
      '(root) > serve > sell',
      '(root) > serve > sell > hash',
      '(root) > (idle)',
      '(root) > serve > ',
      others,
      others,
      others,
    ]);
    expect(JSON.stringify(await profileOf(true)).includes('garbage')).toBe(false);
  });

  it('has 0-based positions, and one script per file', async () => {
    const { nodes } = await profileOf(false);
    const frame = (name: string): Profiler.ProfileNode['callFrame'] | undefined =>
      nodes.find(({ callFrame }) => callFrame.functionName === name)?.callFrame;
    expect(frame('sell')).toMatchObject({ url: '/app/shop.js', lineNumber: 9, columnNumber: 0 });
    expect(frame('serve')).toMatchObject({ url: 'node:http', lineNumber: 4 });
    expect(frame('(idle)')).toEqual({
      functionName: '(idle)',
      scriptId: '0',
      url: '',
      lineNumber: -1,
      columnNumber: -1,
    });
    expect(frame('hash')?.scriptId).toBe(frame('sell')?.scriptId);
    expect(frame('serve')?.scriptId).not.toBe(frame('sell')?.scriptId);
  });
});
