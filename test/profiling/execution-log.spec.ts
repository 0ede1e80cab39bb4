import { beforeEach, describe, expect, it } from '@jest/globals';
import { ExecutionLog, UNKNOWN } from '../../lib/profiling/execution-log.js';

const BOUND = 1 << 16;

describe('ExecutionLog', () => {
  let executionLog: ExecutionLog;
  beforeEach(() => {
    executionLog = new ExecutionLog();
  });

  /** Whose code ran at these moments, which are in the order of time. */
  const whoAt = (...moments: number[]): number[] => {
    const reader = executionLog.reader(moments[0] as number);
    return moments.map((moment) => {
      reader.seek(moment);
      return reader.number;
    });
  };

  it('has no number before the first mark', () => {
    expect(whoAt(0, 1000)).toEqual([UNKNOWN, UNKNOWN]);
    executionLog.mark(1, 500);
    expect(whoAt(499, 500, 501)).toEqual([UNKNOWN, 1, 1]);
  });

  it('finds the last mark before a time', () => {
    for (const [number, at] of [
      [1, 10],
      [2, 20],
      [0, 30],
      [3, 30],
    ] as const)
      executionLog.mark(number, at);
    expect(whoAt(9.9, 10, 19, 20, 29, 30, 1e9)).toEqual([UNKNOWN, 1, 1, 2, 2, 3, 3]);
    expect(whoAt(25)).toEqual([2]);
    expect(executionLog.current).toBe(3);
  });

  it('has the time of each mark, and whether it holds until the next one', () => {
    executionLog.mark(1, 10);
    executionLog.exact = false;
    executionLog.mark(2, 20);
    const reader = executionLog.reader(15);
    reader.seek(15);
    expect(reader).toMatchObject({ markedAt: 10, number: 1, exact: true });
    reader.seek(25);
    expect(reader).toMatchObject({ markedAt: 20, number: 2, exact: false });
  });

  it('reads marks left after the reader was created', () => {
    executionLog.mark(1, 10);
    const reader = executionLog.reader(10);
    reader.seek(10);
    executionLog.mark(2, 20);
    reader.seek(20);
    expect(reader.number).toBe(2);
  });

  it('keeps the last 65,536 marks, and no number for times before', () => {
    const extra = 1000;
    for (let at = 0; at < BOUND + extra; at++) executionLog.mark(at + 1, at);
    expect(whoAt(0, extra - 1)).toEqual([UNKNOWN, UNKNOWN]);
    expect(whoAt(extra)).toEqual([extra + 1]);
    const moments = Array.from({ length: BOUND }, (_, index) => extra + index + 0.5);
    expect(whoAt(...moments)).toEqual(moments.map((moment) => Math.floor(moment) + 1));
  });

  it.each([2 ** 31 - 100, 2 ** 31 + 5, 2 ** 32 - 100, 2 ** 40])('reads correctly after %d marks', (marks) => {
    Object.assign(executionLog, { marks });
    for (let at = 0; at < BOUND + 500; at++) executionLog.mark(at + 1, at);
    expect(whoAt(600, 40_000, BOUND + 499)).toEqual([601, 40_001, BOUND + 500]);
    expect(whoAt(20)).toEqual([UNKNOWN]);
  });

  it('finds a span within itself and its ancestors, but not within others', () => {
    const root = executionLog.number(0);
    const child = executionLog.number(root);
    const grandchild = executionLog.number(child);
    const sibling = executionLog.number(root);
    const other = executionLog.number(0);
    for (const inner of [root, child, grandchild, sibling])
      expect(executionLog.isWithin(inner, root)).toBe(true);
    expect(executionLog.isWithin(grandchild, child)).toBe(true);
    for (const [inner, outer] of [
      [sibling, child],
      [child, sibling],
      [root, child],
      [other, root],
      [root, other],
    ] as const)
      expect(executionLog.isWithin(inner, outer)).toBe(false);
  });

  it('finds no span and an unknown span within nothing', () => {
    const root = executionLog.number(0);
    for (const nobody of [0, UNKNOWN]) {
      expect(executionLog.isWithin(nobody, root)).toBe(false);
      expect(executionLog.isWithin(root, nobody)).toBe(false);
      expect(executionLog.isWithin(nobody, nobody)).toBe(false);
    }
  });

  it('keeps the parents of the last 65,536 spans', () => {
    const root = executionLog.number(0);
    const child = executionLog.number(root);
    for (let more = 0; more < BOUND - 2; more++) executionLog.number(0);
    expect(executionLog.isWithin(child, root)).toBe(true);
    executionLog.number(0);
    // The root itself need not be remembered.
    expect(executionLog.isWithin(child, root)).toBe(true);
    executionLog.number(0);
    expect(executionLog.isWithin(child, root)).toBeUndefined();
    expect(executionLog.isWithin(BOUND + 2, root)).toBe(false);
  });

  it('does not confuse a span with the one that has overwritten it', () => {
    const forgotten = executionLog.number(0);
    const root = executionLog.number(0);
    for (let more = 0; more < BOUND; more++) executionLog.number(root);
    expect(executionLog.isWithin(forgotten + BOUND, root)).toBe(true);
    expect(executionLog.isWithin(forgotten, root)).toBeUndefined();
  });

  it('follows a chain of parents as long as the ring', () => {
    let inner = executionLog.number(0);
    const root = inner;
    for (let depth = 1; depth < BOUND; depth++) inner = executionLog.number(inner);
    expect(executionLog.isWithin(inner, root)).toBe(true);
    inner = executionLog.number(inner);
    expect(executionLog.isWithin(inner, root)).toBeUndefined();
  });

  it('restarts with 1 after the last number', () => {
    Object.assign(executionLog, { numbers: 0x7ffffffe });
    const last = executionLog.number(0);
    const first = executionLog.number(last);
    const second = executionLog.number(first);
    expect([last, first, second]).toEqual([0x7fffffff, 1, 2]);
    expect(executionLog.isWithin(second, last)).toBe(true);
    expect(executionLog.isWithin(last, second)).toBe(false);
    executionLog.mark(last, 1);
    executionLog.mark(first, 2);
    expect(whoAt(1, 2)).toEqual([last, first]);
  });
});
