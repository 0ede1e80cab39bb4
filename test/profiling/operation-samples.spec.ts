import { describe, expect, it } from '@jest/globals';
import { ExecutionLog } from '../../lib/profiling/execution-log.js';
import {
  IDLE,
  OTHERS,
  OWN,
  type Sampled,
  samplesOf,
  UNCERTAIN,
} from '../../lib/profiling/operation-samples.js';
import type { SampleWindow } from '../../lib/profiling/sample-window.js';
import { type Call, IDLE_STACK, type Sample, windowWith } from './windows.js';

const CODE: readonly Call[] = [['work', '/app/shop.js', 1]];
const RESTS = new Set([15, 25]);

/** A sample each millisecond, of code or, at the moments of `rests`, of none. */
const each = (from: number, to: number, rests: ReadonlySet<number> = new Set()): SampleWindow =>
  windowWith(
    from,
    to,
    Array.from({ length: to - from }, (_, index): Sample => {
      const at = from + index;
      return [at, rests.has(at) ? IDLE_STACK : CODE];
    }),
  );
const sampled = (some: Partial<Sampled> = {}): Sampled => ({
  from: 10,
  to: 30,
  number: 1,
  alone: false,
  whole: true,
  ...some,
});
/** An activity with the numbers 1 to 3, of which 2 lies within 1. */
const spans = (): ExecutionLog => {
  const executionLog = new ExecutionLog();
  executionLog.number(0);
  executionLog.number(1);
  executionLog.number(0);
  return executionLog;
};
const uncertain = (): ExecutionLog => Object.assign(spans(), { exact: false });

describe('samplesOf', () => {
  it('takes the samples of the interval, its ends included, in order of time', () => {
    const samples = samplesOf([each(0, 15), each(15, 40)], sampled(), spans());
    const at = samples.place.map((place, index) => {
      const { sampleAt } = samples.windows[samples.window[index] as number] as SampleWindow;
      return sampleAt[place];
    });
    expect(at).toEqual(Array.from({ length: 21 }, (_, index) => 10 + index));
  });

  it('counts samples of overlapping windows once', () => {
    const { window, owner } = samplesOf([each(0, 22), each(18, 40)], sampled(), spans());
    expect(owner).toHaveLength(21);
    expect(window.filter((which) => which === 0)).toHaveLength(12);
  });

  it('has no samples for empty windows, and for none', () => {
    expect(samplesOf([windowWith(0, 40, [])], sampled(), spans()).owner).toEqual([]);
    expect(samplesOf([], sampled(), spans()).counts).toEqual([0, 0, 0, 0]);
  });

  it("recognizes idle time by V8's names", () => {
    const { owner, counts } = samplesOf([each(0, 40, RESTS)], sampled({ alone: true }), spans());
    expect(counts[IDLE]).toBe(2);
    expect([owner[5], owner[15]]).toEqual([IDLE, IDLE]);
    const root = windowWith(0, 40, [
      [12, []],
      [13, CODE],
    ]);
    expect(samplesOf([root], sampled({ alone: true }), spans()).owner).toEqual([IDLE, OWN]);
  });

  it('attributes code to the marked span and its ancestors', () => {
    const executionLog = spans();
    executionLog.mark(1, 10);
    executionLog.mark(3, 15);
    executionLog.mark(2, 20);
    executionLog.mark(0, 25);
    const owners = (number: number): readonly number[] =>
      samplesOf([each(0, 40)], sampled({ number }), executionLog).counts;
    expect(owners(1)).toEqual([10, 11, 0, 0]);
    expect(owners(2)).toEqual([5, 16, 0, 0]);
    expect(owners(3)).toEqual([5, 16, 0, 0]);
  });

  it('is uncertain before the first mark', () => {
    const executionLog = spans();
    executionLog.mark(1, 20);
    const { owner } = samplesOf([each(0, 40)], sampled(), executionLog);
    expect(owner.slice(0, 10)).toEqual(Array(10).fill(UNCERTAIN));
    expect(owner.slice(10)).toEqual(Array(11).fill(OWN));
  });

  it('is uncertain after idle time if callbacks leave no marks', () => {
    const executionLog = uncertain();
    executionLog.mark(1, 10);
    executionLog.mark(3, 20);
    const { owner, counts } = samplesOf([each(0, 40, RESTS)], sampled(), executionLog);
    expect(counts).toEqual([5, 5, 9, 2]);
    expect(owner[4]).toBe(OWN);
    expect(owner[6]).toBe(UNCERTAIN);
    expect(owner[10]).toBe(OTHERS);
    expect(owner[16]).toBe(UNCERTAIN);
  });

  it('is certain after idle time if each callback leaves a mark', () => {
    const executionLog = spans();
    executionLog.mark(1, 10);
    executionLog.mark(3, 20);
    expect(samplesOf([each(0, 40, RESTS)], sampled(), executionLog).counts).toEqual([9, 10, 0, 2]);
  });

  it('is uncertain about code that an inexact mark attributes to no span', () => {
    const executionLog = uncertain();
    executionLog.mark(0, 10);
    expect(samplesOf([each(0, 40)], sampled(), executionLog).counts[UNCERTAIN]).toBe(21);
  });

  it('attributes all code to a request that ran alone', () => {
    const executionLog = uncertain();
    executionLog.mark(0, 10);
    executionLog.mark(3, 20);
    const { counts } = samplesOf([each(0, 40, RESTS)], sampled({ alone: true }), executionLog);
    expect(counts).toEqual([19, 0, 0, 2]);
  });

  it('attributes code without a known owner to a part of a request that ran alone', () => {
    const executionLog = uncertain();
    executionLog.mark(2, 10);
    executionLog.mark(1, 20);
    const part = sampled({ number: 2, alone: true, whole: false });
    // After the idle time at 25 no mark states that the code is not the part's.
    expect(samplesOf([each(0, 40, RESTS)], part, executionLog).counts).toEqual([14, 5, 0, 2]);
  });

  it('follows exact marks of another span even if the request ran alone', () => {
    const executionLog = spans();
    executionLog.mark(1, 10);
    executionLog.mark(3, 20);
    expect(samplesOf([each(0, 40)], sampled({ alone: true }), executionLog).counts).toEqual([10, 11, 0, 0]);
  });

  it('is uncertain about an operation that started before spans were numbered', () => {
    const executionLog = spans();
    executionLog.mark(3, 20);
    const unnumbered = samplesOf([each(0, 40)], sampled({ number: 0 }), executionLog);
    expect(unnumbered.counts).toEqual([0, 0, 21, 0]);
    expect(samplesOf([each(0, 40)], sampled({ number: 0, alone: true }), executionLog).counts[OWN]).toBe(21);
  });
});
