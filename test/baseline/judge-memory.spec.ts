import { describe, expect, it } from '@jest/globals';
import { judgeMemory } from '../../lib/baseline/judge-memory.js';
import type { ChangeVerdict } from '../../lib/baseline/operation-change.js';
import type { MemoryChange, ProcessChange } from '../../lib/baseline/process-change.js';
import { ProcessMemory } from '../../lib/baseline/process-memory.js';
import { MB, type MemoryBehaviour, memoryOf } from './programs/process-memories.js';
import { HOUR, START } from './programs/simulated-windows.js';

const OPTIONS = { minEffectPercent: 10, alpha: 0.002 };
const BEFORE: MemoryBehaviour = { startedAt: START, minutes: 250 };
const AFTER: MemoryBehaviour = { startedAt: START + 10 * HOUR, minutes: 70 };

function judged(
  before: Partial<MemoryBehaviour> = {},
  after: Partial<MemoryBehaviour> = {},
  seed = 1,
): ProcessChange {
  const one = memoryOf({ ...BEFORE, ...before, seed: 2 * seed });
  return judgeMemory(one, memoryOf({ ...AFTER, ...after, seed: 2 * seed + 1 }), OPTIONS) as ProcessChange;
}

function measured(change: ProcessChange, measure: 'heap' | 'rss'): MemoryChange {
  return change.measures.find((one) => one.measure === measure) as MemoryChange;
}

/** How often each verdict is given. */
function verdicts(
  before: Partial<MemoryBehaviour>,
  after: Partial<MemoryBehaviour>,
  seeds = 40,
): Record<ChangeVerdict, number> {
  const counts = { worse: 0, better: 0, same: 0, 'not enough data': 0 };
  for (let seed = 1; seed <= seeds; seed++) counts[judged(before, after, seed).verdict]++;
  return counts;
}

describe('the memory of a version', () => {
  it.each<[string, Partial<MemoryBehaviour>]>([
    ['half as much again', { heapMb: 140 }],
    ['a quarter more, on four processes', { heapMb: 112, processes: 4 }],
    ['a leak, after some hours', { leakMb: 15, minutes: 250 }],
    ['caches that are four times as large', { cacheMb: 90, minutes: 200 }],
  ])('is worse with %s', (_name, after) => {
    const { worse, better } = verdicts({ processes: after.processes ?? 1 }, after);
    expect(worse).toBeGreaterThanOrEqual(38);
    expect(better).toBe(0);
  });

  it('is better with much less', () => {
    expect(verdicts({ heapMb: 160 }, {})).toMatchObject({ better: 40, worse: 0 });
  });

  it.each<[string, Partial<MemoryBehaviour>, Partial<MemoryBehaviour>]>([
    ['the same memory', {}, {}],
    ['a noisy heap', { noise: 0.2 }, { noise: 0.2 }],
    ['a very noisy heap', { noise: 0.6 }, { noise: 0.6 }],
    ['processes that differ', { processes: 5, spread: 0.15 }, { processes: 5, spread: 0.15 }],
    ['processes that differ greatly', { processes: 2, spread: 0.6 }, { processes: 2, spread: 0.6 }],
    ['three times the traffic', { perExecutionMb: 0.4 }, { perExecutionMb: 0.4, perMinute: 180 }],
    ['a third of the traffic', { perExecutionMb: 0.4 }, { perExecutionMb: 0.4, perMinute: 20 }],
    ['traffic that wanders', { perExecutionMb: 0.4, wander: 0.4 }, { perExecutionMb: 0.4, wander: 0.4 }],
    ['a slow warm-up', { cacheMb: 200, fillMinutes: 90 }, { cacheMb: 200, fillMinutes: 90 }],
    ['a leak that was there before', { leakMb: 30 }, { leakMb: 30 }],
    ['rare collections', { collectsEvery: 6 }, { collectsEvery: 6 }],
    ['a little more', {}, { heapMb: 86 }],
    ['a heap of a few MB that doubles', { heapMb: 4, cacheMb: 1 }, { heapMb: 9, cacheMb: 1 }],
  ])('is neither worse nor better with %s', (_name, before, after) => {
    expect(verdicts(before, after)).toMatchObject({ worse: 0, better: 0 });
  });

  it('is not worse by one half of an age alone', () => {
    const of = (...megabytes: readonly number[]): Uint8Array => {
      const memory = new ProcessMemory();
      const lowest = (slot: number): number => (megabytes[slot < 6 ? 0 : 1] as number) * MB;
      for (let slot = 2; slot < 8; slot++)
        memory.add(1, START, slot, { heap: lowest(slot), rss: 2 * lowest(slot) }, 60);
      return memory.toBytes();
    };
    const heap = (after: Uint8Array): MemoryChange =>
      measured(judgeMemory(of(100, 100), after, OPTIONS) as ProcessChange, 'heap');
    expect(heap(of(160, 160)).verdict).toBe('worse');
    for (const after of [of(100, 300), of(300, 100)])
      expect(heap(after)).toMatchObject({ verdict: 'not enough data', pValue: expect.any(Number) });
    expect(heap(of(100, 300)).pValue).toBeLessThan(0.002);
  });

  it('is the same where the intervals exclude a change that matters', () => {
    expect(verdicts({ processes: 4 }, { processes: 4 }).same).toBeGreaterThanOrEqual(36);
    expect(verdicts({}, {}).same).toBeGreaterThanOrEqual(20);
  });

  it('is not judged before 40 minutes, nor without collections', () => {
    expect(judged({}, { heapMb: 300, minutes: 40 })).toEqual({
      verdict: 'not enough data',
      measures: [
        { measure: 'heap', verdict: 'not enough data' },
        { measure: 'rss', verdict: 'not enough data' },
      ],
    });
    const early = judged({}, { heapMb: 300, minutes: 41 });
    expect(measured(early, 'heap')).toMatchObject({
      verdict: 'worse',
      age: { from: 20 * 60_000, to: 40 * 60_000 },
    });
    const rare = judged({}, { collectsEvery: 30 });
    expect(measured(rare, 'heap')).toEqual({ measure: 'heap', verdict: 'not enough data' });
    expect(measured(rare, 'rss').before).toBeDefined();
    expect(rare.verdict).toBe('not enough data');
  });

  it('compares processes at the greatest age that most of both versions have reached', () => {
    const of = (before: Uint8Array, after: Uint8Array): MemoryChange =>
      measured(judgeMemory(before, after, OPTIONS) as ProcessChange, 'heap');
    expect(of(memoryOf(BEFORE), memoryOf({ ...AFTER, minutes: 230 })).age?.to).toBe(160 * 60_000);
    expect(of(memoryOf({ ...BEFORE, minutes: 90 }), memoryOf({ ...AFTER, minutes: 230 })).age?.to).toBe(
      80 * 60_000,
    );
  });

  it('is not judged by the one process that ran longest', () => {
    const before = ProcessMemory.fromBytes(memoryOf({ ...BEFORE, minutes: 90, processes: 4 }));
    before.merge(ProcessMemory.fromBytes(memoryOf({ ...BEFORE, seed: 9 })));
    const after = memoryOf({ ...AFTER, minutes: 230 });
    const { age, before: side } = measured(
      judgeMemory(before.toBytes(), after, OPTIONS) as ProcessChange,
      'heap',
    );
    expect(age?.to).toBe(80 * 60_000);
    expect(side?.processes).toBe(5);
  });

  it('allows for another time, however many processes there are', () => {
    const { percentInterval: [low, high] = [0, 0] } = measured(
      judged({ processes: 20, wander: 0, spread: 0 }, { processes: 20, wander: 0, spread: 0 }),
      'heap',
    );
    // 1.96 times 2 % on each side, and what the processes are assumed to differ.
    expect(high - low).toBeGreaterThan(7.8);
    expect(high - low).toBeLessThan(12);
  });

  it('has figures with an interval', () => {
    const {
      before,
      after,
      difference = 0,
      interval = [0, 0],
      percent,
      pValue,
    } = measured(judged({ processes: 3 }, { processes: 2, heapMb: 180 }), 'heap');
    expect(before).toMatchObject({ processes: 3 });
    expect(after).toMatchObject({ processes: 2 });
    expect((before?.value as number) / MB).toBeGreaterThan(80);
    expect((before?.value as number) / MB).toBeLessThan(110);
    expect(before?.perMinute).toBeGreaterThan(40);
    expect(before?.perMinute).toBeLessThan(80);
    expect(difference).toBeCloseTo((after?.value as number) - (before?.value as number), 0);
    expect(interval[0]).toBeLessThan(difference);
    expect(interval[1]).toBeGreaterThan(difference);
    expect(percent).toBeGreaterThan(80);
    expect(pValue).toBeLessThan(1e-4);
  });

  it('says nothing without records, and ignores those that it cannot read', () => {
    expect(judgeMemory(undefined, undefined, OPTIONS)).toBeUndefined();
    expect(judgeMemory(new Uint8Array([1, 2]), undefined, OPTIONS)).toBeUndefined();
    expect(judgeMemory(undefined, memoryOf(AFTER), OPTIONS)?.verdict).toBe('not enough data');
  });
});
