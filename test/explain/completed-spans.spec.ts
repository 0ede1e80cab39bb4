import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CompletedSpans, MAX_COMPLETED_SPANS } from '../../lib/spans/completed-spans.js';
import { waterfallOf } from '../../lib/spans/waterfall.js';

/** A span of a random tree. */
interface Drawn {
  durationMs: number;
  failed: boolean;
  below: Drawn[];
}

/** Up to 2 levels of up to 4 spans: some hundred of them are quickly generated. */
function drawnTo(depth: number): fc.Arbitrary<Drawn> {
  return fc.record({
    durationMs: fc.integer({ min: 0, max: 50 }),
    failed: fc.boolean(),
    below: depth === 0 ? fc.constant<Drawn[]>([]) : fc.array(drawnTo(depth - 1), { maxLength: 4 }),
  });
}
const drawn = drawnTo(2);

/** Ends a tree of spans as a processor does. Names are numbers in the order of starts. */
function end(tree: Drawn[]): {
  ended: CompletedSpans;
  all: Map<string, { around: string; durationMs: number }>;
} {
  const all = new Map<string, { around: string; durationMs: number }>();
  const endAll = (spans: readonly Drawn[], around: string): CompletedSpans => {
    const ended = new CompletedSpans();
    for (const { durationMs, failed, below } of spans) {
      const startedAt = 1000 + all.size;
      const name = String(startedAt);
      all.set(name, { around, durationMs });
      const own = endAll(below, name);
      ended.add(name, failed ? 'failed' : 'fine', startedAt, durationMs, failed, own);
    }
    return ended;
  };
  return { ended: endAll(tree, 'operation'), all };
}

const operation = { name: 'operation', type: 'http', startedAt: 990, durationMs: 500, failed: false };

describe('CompletedSpans', () => {
  it('form a tree in the order of their start', () => {
    fc.assert(
      fc.property(fc.array(drawn, { maxLength: 8 }), (tree) => {
        const { ended, all } = end(tree);
        fc.pre(all.size <= MAX_COMPLETED_SPANS);
        const { spans, omitted } = waterfallOf(operation, ended);
        expect(omitted).toBe(0);
        expect(spans[0]).toEqual({
          name: 'operation',
          type: 'http',
          startMs: 0,
          durationMs: 500,
          parent: -1,
        });
        expect(spans.slice(1).map(({ name }) => name)).toEqual([...all.keys()]);
        for (const { name, startMs, parent, durationMs, error, type } of spans.slice(1)) {
          expect(startMs).toBe(Number(name) - 990);
          expect(spans[parent]?.name).toBe(all.get(name)?.around);
          expect(durationMs).toBe(all.get(name)?.durationMs);
          expect(error).toBe(type === 'failed' ? true : undefined);
        }
      }),
    );
  });

  it('are the longest if there are too many, below their nearest remaining ancestor', () => {
    const wide = fc.array(drawn, { minLength: 40, maxLength: 120 });
    fc.assert(
      fc.property(wide, (tree) => {
        const { ended, all } = end(tree);
        const { spans, omitted } = waterfallOf(operation, ended);
        expect(spans.length - 1 + omitted).toBe(all.size);
        expect(spans.length).toBeLessThanOrEqual(MAX_COMPLETED_SPANS + 1);
        if (all.size > MAX_COMPLETED_SPANS) expect(spans.length).toBeGreaterThanOrEqual(150);
        else expect(omitted).toBe(0);
        const left = new Set(spans.map(({ name }) => name));
        // No omitted span is among the 149 longest.
        const longest = [...all.values()].map(({ durationMs }) => durationMs).sort((a, b) => b - a)[148] ?? 0;
        for (const [name, { durationMs }] of all) {
          if (!left.has(name)) expect(durationMs).toBeLessThanOrEqual(longest);
        }
        for (const [index, { name, parent }] of spans.entries()) {
          if (index === 0) continue;
          let around = all.get(name)?.around as string;
          while (!left.has(around)) around = all.get(around)?.around as string;
          expect(spans[parent]?.name).toBe(around);
          expect(parent).toBeLessThan(index);
        }
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });

  it('are limited in number for any width and depth', () => {
    const wide = new CompletedSpans();
    let deep = new CompletedSpans();
    for (let i = 0; i < 100_000; i++) {
      wide.add('query', 'database', i, (i * 7919) % 1000, false);
      const around = new CompletedSpans();
      around.add('call', 'internal', -i, i, false, deep);
      deep = around;
      if (wide.size > MAX_COMPLETED_SPANS || deep.size > MAX_COMPLETED_SPANS)
        throw new Error('too many are kept');
    }
    expect(wide.omitted).toBe(100_000 - wide.size);
    expect(deep.omitted).toBe(100_000 - deep.size);
    const { spans } = waterfallOf(operation, deep);
    expect(spans.map(({ parent }) => parent)).toEqual(spans.map((_, index) => index - 1));
  });

  it('say which of them is the innermost one that is long', () => {
    const inner = new CompletedSpans();
    inner.add('query', 'database', 1, 85, false);
    const middle = new CompletedSpans();
    middle.add('short', 'internal', 0, 1, false);
    middle.add('handler', 'command', 1, 90, false, inner);
    const ended = new CompletedSpans();
    ended.add('bus', 'internal', 0, 95, false, middle);
    ended.add('check', 'internal', 96, 5, false);
    const own = (type: string): boolean => type !== 'database';
    expect(ended.innermost(80, own)).toBe('handler');
    expect(ended.innermost(80, () => true)).toBe('query');
    expect(ended.innermost(92, own)).toBe('bus');
    expect(ended.innermost(96, own)).toBeUndefined();
    expect(new CompletedSpans().innermost(0, own)).toBeUndefined();
  });

  it('are copied without spans that end later', () => {
    const ended = new CompletedSpans();
    ended.add('first', 'internal', 1, 1, false);
    const copy = ended.copy();
    ended.add('second', 'internal', 2, 1, false);
    expect([copy.size, ended.size]).toEqual([1, 2]);
  });

  it('do not start before the operation, whatever their clock', () => {
    const ended = new CompletedSpans();
    ended.add('told later', 'database', 989.4, 20, false);
    expect(waterfallOf(operation, ended).spans[1]?.startMs).toBe(0);
  });
});
