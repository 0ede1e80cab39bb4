import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SpanTiming } from '../../lib/spans/span-timing.js';
import {
  type Breakdown,
  CACHE,
  DATABASE,
  EXTERNAL,
  emptyBreakdown,
  SELF_BUSY,
  SELF_IDLE,
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

/** Of every ten milliseconds, the event loop is idle in the first seven. */
const idleAt = (now: number): number => 7 * Math.floor(now / 10) + Math.min(7, now % 10);

/** Runs a plan: all starts and ends in the order of time, the starts of parents first. */
function run(root: Plan): Map<Plan, Said> {
  const nodes = new Map<Plan, SpanTiming>();
  const said = new Map<Plan, Said>();
  const events: { at: number; order: number; run: () => void }[] = [];
  const visit = (span: Plan, parent: Plan | undefined, depth: number): void => {
    const begin = (): void => {
      nodes.set(span, new SpanTiming(parent && nodes.get(parent), span.work, span.start, idleAt(span.start)));
    };
    const end = (): void => {
      const node = nodes.get(span);
      const idle = idleAt(span.end);
      node?.end(span.end, idle);
      if (node !== undefined)
        said.set(span, { childrenMs: node.childrenMs(span.end), parts: node.breakdown(span.end, idle) });
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
  return parts.reduce((total, part) => total + part, 0);
}

/** Divides each idle millisecond of a span in equal shares among the children that run. */
function sharedAmong({ start, end, work, children }: Plan): Breakdown {
  const parts = emptyBreakdown();
  for (let at = start; at < end; at++) {
    if (idleAt(at + 1) === idleAt(at)) (parts[SELF_BUSY] as number) += 1;
    else {
      const running = children.filter((child) => child.start <= at && at < child.end);
      const own = work === SELF_BUSY ? SELF_IDLE : work;
      if (running.length === 0) (parts[own] as number) += 1;
      for (const child of running) (parts[child.work] as number) += 1 / running.length;
    }
  }
  return parts;
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

  it('divides idle time in equal shares among the calls that are waited for at a moment', () => {
    const leaf = fc.record({
      start: fc.integer({ min: 0, max: 400 }),
      length: fc.integer({ min: 0, max: 300 }),
      work: fc.constantFrom(DATABASE, CACHE, EXTERNAL),
    });
    fc.assert(
      fc.property(fc.array(leaf, { maxLength: 12 }), (leaves) => {
        const children = leaves.map(({ start, length, work }) => ({
          start,
          end: start + length,
          work,
          children: [],
        }));
        const root = { start: 0, end: 500, work: SELF_BUSY, children };
        const parts = run(root).get(root)?.parts ?? [];
        sharedAmong(root).forEach((ms, part) => {
          expect(parts[part]).toBeCloseTo(ms, 6);
        });
      }),
    );
  });

  it('has the same parts if each call is wrapped in spans of the application, without overlap', () => {
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
          const before = idleAt(now);
          const around: SpanTiming[] = [root];
          for (let i = 0; i < wrapped; i++)
            around.push(new SpanTiming(around.at(-1), SELF_BUSY, now, before));
          const leaf = new SpanTiming(around.at(-1), work, now, before);
          now += length;
          const idle = idleAt(now);
          expect(leaf.end(now, idle)).toBeCloseTo(idle - before, 6);
          for (const wrapper of around.slice(1).reverse()) wrapper.end(now, idle);
          (expected[work] as number) += idle - before;
        }
        root.end(now, idleAt(now));
        const parts = root.breakdown(now, idleAt(now));
        for (const work of [DATABASE, CACHE, EXTERNAL])
          expect(parts[work]).toBeCloseTo(expected[work] ?? 0, 6);
      }),
    );
  });

  it('attributes busy time to no call, and idle time without a call to the span itself', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 1000);
    const query = new SpanTiming(root, DATABASE, 100, 1090);
    query.end(300, 1280);
    root.end(500, 1300);
    const parts = root.breakdown(500, 1300);
    // 90 of the first 100 ms and 20 of the last 200 were idle; 190 of the query's 200.
    expect(parts[SELF_IDLE]).toBeCloseTo(110);
    expect(parts[SELF_BUSY]).toBeCloseTo(200);
    expect(parts[DATABASE]).toBeCloseTo(190);
  });

  it('attributes the busy time of a synchronous driver to the database, however deep it works', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    const service = new SpanTiming(root, SELF_BUSY, 10, 5);
    const query = new SpanTiming(service, DATABASE, 20, 5);
    query.isSynchronous = true;
    query.end(70, 5);
    expect(root.breakdown(80, 5)[DATABASE]).toBeCloseTo(50);
    service.end(80, 5);
    const parts = root.breakdown(100, 25);
    expect(parts[DATABASE]).toBeCloseTo(50);
    expect(parts[SELF_BUSY]).toBeCloseTo(25);
    expect(parts[SELF_IDLE]).toBeCloseTo(25);
    expect(query.breakdown(70, 5)[DATABASE]).toBeCloseTo(50);
  });

  it('attributes the busy time of other drivers and of other requests to no database', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    const other = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    const query = new SpanTiming(root, DATABASE, 0, 0);
    const blocking = new SpanTiming(other, DATABASE, 10, 10);
    blocking.isSynchronous = true;
    blocking.end(60, 10);
    query.end(100, 50);
    const parts = root.breakdown(100, 50);
    expect(parts[SELF_BUSY]).toBeCloseTo(50);
    expect(parts[DATABASE]).toBeCloseTo(50);
  });

  it('gives no single one of fifty parallel calls the whole time', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    const calls = Array.from({ length: 50 }, () => new SpanTiming(root, DATABASE, 0, 0));
    const shares = calls.map((call) => call.end(100, 100));
    root.end(100, 100);
    for (const share of shares) expect(share).toBeCloseTo(2);
    expect(root.breakdown(100, 100)[DATABASE]).toBeCloseTo(100);
  });

  it('counts running children until now, including nested ones', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    const service = new SpanTiming(root, SELF_BUSY, 10, 10);
    new SpanTiming(service, DATABASE, 20, 20);
    root.end(100, 100);
    const parts = root.breakdown(100, 100);
    expect(parts[DATABASE]).toBeCloseTo(80);
    expect(parts[SELF_IDLE]).toBeCloseTo(20);
    expect(root.childrenMs(100)).toBe(90);
  });

  it('takes the idle time of spans that were created afterwards from that of their parent', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    const operation = new SpanTiming(root, SELF_BUSY, 10, 5);
    // 220 ms passed, of which 200 were idle; then a library creates its spans, one within the other.
    const engine = new SpanTiming(operation, SELF_BUSY, 230, 205, 215);
    const query = new SpanTiming(engine, DATABASE, 230, 205, 212);
    expect(query.startedAt).toBe(18);
    query.end(230, 205);
    engine.end(230, 205);
    operation.end(231, 205);
    root.end(240, 210);
    const parts = root.breakdown(240, 210);
    expect(parts[DATABASE]).toBeCloseTo(200);
    expect(parts[SELF_IDLE]).toBeCloseTo(10);
    expect(parts[SELF_BUSY]).toBeCloseTo(30);
    expect(query.breakdown(230, 205)[DATABASE]).toBeCloseTo(200);
  });

  it('takes no more than there is for spans that were created afterwards side by side', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    for (const work of [DATABASE, DATABASE, EXTERNAL]) new SpanTiming(root, work, 100, 90, 80).end(100, 90);
    root.end(100, 90);
    const parts = root.breakdown(100, 90);
    expect(sum(parts)).toBeCloseTo(100);
    expect((parts[DATABASE] as number) + (parts[EXTERNAL] as number)).toBeCloseTo(90);
    expect(parts[SELF_BUSY]).toBeCloseTo(10);
  });

  it('is not changed by a child that ends after its parent', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    const late = new SpanTiming(root, DATABASE, 50, 50);
    root.end(100, 100);
    const before = root.breakdown(100, 100);
    expect(before[DATABASE]).toBeCloseTo(50);
    expect(late.end(10_000, 10_000)).toBe(9950);
    expect(root.breakdown(100, 100)[DATABASE]).toBeCloseTo(50);
    const after = new SpanTiming(root, DATABASE, 200, 200);
    after.end(300, 300);
    expect(root.childCount).toBe(1);
  });

  it('removes a withdrawn span', () => {
    const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
    const call = new SpanTiming(root, SELF_BUSY, 10, 10);
    call.withdraw(30, 30);
    root.end(100, 100);
    expect(root.childCount).toBe(0);
    expect(root.childrenMs(100)).toBe(0);
    expect(root.breakdown(100, 100)[SELF_IDLE]).toBe(100);
  });

  it('continues the running children of withdrawn spans, in whatever order these are withdrawn', () => {
    for (const innerFirst of [true, false]) {
      const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
      const beside = new SpanTiming(root, CACHE, 0, 0);
      const outer = new SpanTiming(root, SELF_BUSY, 20, 20);
      const inner = new SpanTiming(outer, SELF_BUSY, 20, 20);
      const query = new SpanTiming(inner, DATABASE, 20, 20);
      for (const span of innerFirst ? [inner, outer] : [outer, inner]) span.withdraw(40, 40);
      query.end(100, 100);
      beside.end(120, 120);
      root.end(120, 120);
      const parts = root.breakdown(120, 120);
      expect(sum(parts)).toBeCloseTo(120);
      // Half of the 60 ms in which both ran, and not what passed while it was the child of another span.
      expect(parts[DATABASE]).toBeGreaterThanOrEqual(30 - 1e-9);
      expect(parts[DATABASE]).toBeLessThanOrEqual(50 + 1e-9);
    }
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
