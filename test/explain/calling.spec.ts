import { describe, expect, it } from '@jest/globals';
import type { CallSite, RawFrame } from '../../lib/code/call-site.js';
import { sampledCalling, stalledCalling } from '../../lib/explain/calling.js';
import type { Repetition } from '../../lib/explain/repetition.js';
import type { StallSummary } from '../../lib/explain/stalls.js';
import type { PackageCalls } from '../../lib/profiling/package-calls.js';
import { DATABASE, EXTERNAL } from '../../lib/spans/work.js';

const APP = '/app/shop.js';
const frame = (functionName: string, line: number, url = APP): RawFrame => ({
  functionName,
  url,
  line,
  column: 1,
});
const find = (frames: readonly RawFrame[]): { frame: RawFrame; callSite: CallSite } | undefined => {
  const found = frames.find(({ url }) => url === APP);
  if (found === undefined) return undefined;
  const { functionName, url, line, column } = found;
  return { frame: found, callSite: { function: functionName, file: url, line, column } };
};

const group = (started: number, work = DATABASE, rows = 0): Repetition['group'] =>
  ({ work, started, rows }) as Repetition['group'];
const repetition = {
  frames: [{ ...frame('sell', 12), through: ['orm', 'driver'] }],
  group: group(30),
} as unknown as Repetition;
const others = (...groups: Repetition['group'][]) => ({ repetitions: [repetition], groups });
const site = (name: string, line: number): CallSite => ({ function: name, file: APP, line, column: 1 });
const calls: PackageCalls[] = [
  { called: 'orm', calledFrom: site('sell', 10), share: 0.3 },
  { called: 'copy', calledFrom: site('sell', 10), share: 0.1 },
  { called: 'orm', calledFrom: site('hash', 20), share: 0.05 },
  { called: 'driver', share: 0.2 },
  { called: 'http', share: 0.1 },
];

describe('the CPU time of repeated calls', () => {
  it('is what their package did for the function that asked, and later', () => {
    expect(sampledCalling(repetition, others(), calls, find)).toBeCloseTo(0.5);
  });

  it('is a part of what was done later if there are other calls of this kind', () => {
    expect(sampledCalling(repetition, others(group(30), group(60, EXTERNAL)), calls, find)).toBeCloseTo(0.4);
  });

  it('is hardly any of what was done later for a query of many rows', () => {
    expect(sampledCalling(repetition, others(group(1, DATABASE, 5000)), calls, find)).toBeCloseTo(0.301);
  });

  it('is unknown without the line of the calls, or where they pass through no package', () => {
    const unknown = { ...repetition, frames: undefined };
    const direct = { ...repetition, frames: [frame('sell', 12)] };
    expect(sampledCalling(unknown, others(), calls, find)).toBe(0);
    expect(sampledCalling(direct, others(), calls, find)).toBe(0);
  });
});

describe('the CPU time of repeated calls without samples', () => {
  const inOrm = frame('find', 3, '/app/node_modules/orm/index.js');
  const inDriver = frame('parse', 7, '/app/node_modules/driver/index.js');
  const stalled = (...stacks: [ms: number, ...stack: RawFrame[]][]): number => {
    const ownStacks = stacks.map(([ms, ...stack]) => ({ ms, stack }));
    return stalledCalling(repetition, others(group(10)), { ownStacks } as unknown as StallSummary, find);
  };

  it('is that of the stacks in which the line of the calls had called their package', () => {
    expect(stalled([30, inOrm, frame('sell', 12)], [10, frame('sell', 12)])).toBe(0.75);
    expect(stalled([40, frame('copy', 3, '/app/node_modules/copy/index.js'), frame('sell', 12)])).toBe(0);
    expect(stalled([40, frame('parse', 1, ''), frame('sell', 12)])).toBe(0);
    expect(stalled([40, inOrm, frame('sell', 13)])).toBe(0);
  });

  it('has a part of what their packages did later, once a stack shows the line', () => {
    expect(stalled([20, inOrm, frame('sell', 12)], [20, inOrm, inDriver])).toBe(0.875);
    expect(stalled([20, inOrm, inDriver])).toBe(0);
  });

  it('is unknown without a stack', () => {
    expect(stalled()).toBe(0);
  });
});
