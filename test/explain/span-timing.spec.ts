import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SpanTiming } from '../../lib/spans/span-timing.js';
import {
  type Breakdown,
  CACHE,
  DATABASE,
  EXTERNAL,
  SELF_BUSY,
  SELF_IDLE,
  WORK_IDLE,
} from '../../lib/spans/work.js';

/** A span of a random tree: its times, its kind of work, and its children. */
interface Plan {
  start: number;
  end: number;
  work: number;
  children: Plan[];
}

/** Spans whose children may overlap, outlive them, or start after their end. */
const plan: fc.Memo<Plan> = fc.memo((depth) =>
  fc
    .record({
      start: fc.integer({ min: 0, max: 400 }),
      length: fc.integer({ min: 0, max: 300 }),
      work: fc.constantFrom(SELF_BUSY, SELF_BUSY, DATABASE, CACHE, EXTERNAL),
      children: depth > 1 ? fc.array(plan(depth - 1), { maxLength: 4 }) : fc.constant<Plan[]>([]),
    })
    .map(({ start, length, work, children }) => ({ start, end: start + length, work, children })),
);

/** Moves a plan so that every child starts within its parent. */
function nest(span: Plan, offset: number): Plan {
  const start = offset + span.start;
  const end = offset + span.end;
  const length = end - start;
  return {
    ...span,
    start,
    end,
    children: span.children.map((child) => nest({ ...child, ...shift(child, length) }, start)),
  };
}

function shift({ start, end }: Plan, length: number): { start: number; end: number } {
  const at = length === 0 ? 0 : start % length;
  return { start: at, end: at + (end - start) };
}

/** The timing of a span at its end. */
interface Said {
  childrenMs: number;
  parts: Breakdown;
}

/** Runs a plan: all starts and ends in the order of time, the starts of parents first. */
function run(root: Plan): Map<Plan, Said> {
  const nodes = new Map<Plan, SpanTiming>();
  const said = new Map<Plan, Said>();
  const events: { at: number; order: number; run: () => void }[] = [];
  const visit = (span: Plan, parent: Plan | undefined, depth: number): void => {
    const begin = (): void => {
      nodes.set(span, new SpanTiming(parent && nodes.get(parent), span.work, span.start, 0));
    };
    const end = (): void => {
      const node = nodes.get(span);
      node?.end(span.end, 0);
      if (node !== undefined)
        said.set(span, { childrenMs: node.childrenMs(span.end), parts: node.breakdown(span.end, 0) });
    };
    events.push({ at: span.start, order: depth, run: begin });
    for (const child of span.children) visit(child, span, depth + 1);
    events.push({ at: span.end, order: 1000 - depth, run: end });
  };
  visit(root, undefined, 0);
  for (const event of events.sort((a, b) => a.at - b.at || a.order - b.order)) event.run();
  return said;
}

/** The length of the union of the children's intervals within that of their parent. */
function coveredBy({ start, end, children }: Plan): number {
  let covered = 0;
  for (let at = start; at < end; at++)
    if (children.some((child) => child.start <= at && at < child.end)) covered++;
  return covered;
}

function sum(parts: Breakdown): number {
  return parts.slice(0, WORK_IDLE).reduce((total, part) => total + part, 0);
}

describe('SpanTiming', () => {
  it('counts overlapping children once: self time is the duration without their union, for any tree', () => {
    fc.assert(
      fc.property(plan(4), (random) => {
        const root = nest(random, 0);
        for (const [span, { childrenMs }] of run(root)) expect(childrenMs).toBe(coveredBy(span));
      }),
      { numRuns: 500 },
    );
  });

  it('divides the whole duration, whatever overlaps or outlives its parent', () => {
    fc.assert(
      fc.property(plan(4), (random) => {
        const root = nest(random, 0);
        for (const [span, { parts }] of run(root)) {
          expect(sum(parts)).toBeCloseTo(span.end - span.start, 6);
          for (const part of parts) expect(part).toBeGreaterThanOrEqual(-1e-9);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has the exact time of each kind without overlap, at any depth', () => {
    const sequence = fc.array(
      fc.record({
        work: fc.constantFrom(DATABASE, CACHE, EXTERNAL),
        gap: fc.integer({ min: 0, max: 20 }),
        length: fc.integer({ min: 1, max: 50 }),
        wrapped: fc.integer({ min: 0, max: 3 }),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(sequence, (steps) => {
        const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
        const expected = [0, 0, 0];
        let now = 0;
        for (const { work, gap, length, wrapped } of steps) {
          now += gap;
          const around: SpanTiming[] = [root];
          for (let i = 0; i < wrapped; i++) around.push(new SpanTiming(around.at(-1), SELF_BUSY, now, 0));
          const leaf = new SpanTiming(around.at(-1), work, now, 0);
          now += length;
          leaf.end(now, 0);
          for (const wrapper of around.slice(1).reverse()) wrapper.end(now, 0);
          (expected[work] as number) += length;
        }
        root.end(now, 0);
        const parts = root.breakdown(now, 0);
        for (const work of [DATABASE, CACHE, EXTERNAL])
          expect(parts[work]).toBeCloseTo(expected[work] ?? 0, 6);
      }),
    );
  });

  it('distinguishes busy and idle self time, without the time of children', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 1000);
    const query = new SpanTiming(root, DATABASE, 100, 1090);
    query.end(300, 1280);
    root.end(500, 1300);
    const parts = root.breakdown(500, 1300);
    // 90 of the first 100 ms and 20 of the last 200 were idle; 190 of the query's 200.
    expect(parts[SELF_IDLE]).toBeCloseTo(110);
    expect(parts[SELF_BUSY]).toBeCloseTo(190);
    expect(parts[DATABASE]).toBeCloseTo(200);
    expect(parts[WORK_IDLE]).toBeCloseTo(190);
  });

  it('scales parallel children to the time that they cover', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    const query = new SpanTiming(root, DATABASE, 0, 0);
    const call = new SpanTiming(root, EXTERNAL, 0, 0);
    query.end(100, 0);
    call.end(300, 0);
    root.end(400, 0);
    const parts = root.breakdown(400, 0);
    expect(parts[DATABASE]).toBeCloseTo(75);
    expect(parts[EXTERNAL]).toBeCloseTo(225);
    expect(parts[SELF_BUSY]).toBeCloseTo(100);
  });

  it('counts running children until now, including nested ones', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    const service = new SpanTiming(root, SELF_BUSY, 10, 0);
    new SpanTiming(service, DATABASE, 20, 0);
    root.end(100, 0);
    const parts = root.breakdown(100, 0);
    expect(parts[DATABASE]).toBeCloseTo(80);
    expect(root.childrenMs(100)).toBe(90);
  });

  it('is not changed by a child that ends after its parent', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    const late = new SpanTiming(root, DATABASE, 50, 0);
    root.end(100, 0);
    const before = root.breakdown(100, 0);
    late.end(10_000, 0);
    expect(root.breakdown(100, 0)[DATABASE]).toBeCloseTo(before[DATABASE] as number);
    const after = new SpanTiming(root, DATABASE, 200, 0);
    after.end(300, 0);
    expect(root.childCount).toBe(1);
  });

  it('removes a withdrawn span', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    const call = new SpanTiming(root, SELF_BUSY, 10, 0);
    call.withdraw(30, 0);
    root.end(100, 0);
    expect(root.childCount).toBe(0);
    expect(root.childrenMs(100)).toBe(0);
    expect(root.breakdown(100, 0)[SELF_BUSY]).toBe(100);
  });

  it('uses the same memory for 100,000 children as for 100', () => {
    const size = (children: number): number => {
      const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
      for (let i = 0; i < children; i++) {
        const child = new SpanTiming(root, i % 3, i, 0);
        if (i % 5 !== 0) child.end(i + 1, 0);
      }
      return JSON.stringify({ ...root, root: null, inner: null }).length;
    };
    // The same fields: only their numbers have more digits.
    expect(size(100_000)).toBeLessThan(size(100) + 200);
  });

  it('knows the spans below it, up to a depth that no request has', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    let deep = root;
    for (let i = 0; i < 100; i++) deep = new SpanTiming(deep, SELF_BUSY, 0, 0);
    expect(root.contains(deep)).toBe(true);
    expect(deep.contains(root)).toBe(false);
    for (let i = 0; i < 10_000; i++) deep = new SpanTiming(deep, SELF_BUSY, 0, 0);
    expect(root.contains(deep)).toBe(false);
    expect(() => deep.breakdown(1, 0)).not.toThrow();
  });
});
