import type { OverviewSlowOperation, SlowPart } from './overview.js';

/** The operations that are named below the one that they ran in. */
const NAMED = 5;

/** What folding reads of a slow operation. */
interface Traced {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly durationMs: number;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly root?: { readonly name: string };
}

/**
 * Makes one entry of a request and of what was slow within it: a slow operation that ran within another one of the list is
 * named there, and not listed itself.
 */
export function foldSlow<T extends Traced>(
  slow: readonly T[],
): (T & Pick<OverviewSlowOperation, 'within'>)[] {
  const byId = new Map(slow.map((one) => [one.id, one]));
  const roots = new Map(slow.flatMap((one) => (one.root === undefined ? [[rootKey(one, one), one]] : [])));
  const outer = (one: T): T | undefined => {
    const parent = byId.get(one.parentSpanId ?? '');
    const found = (one.root === undefined ? undefined : roots.get(rootKey(one, one.root))) ?? parent;
    return found?.traceId === one.traceId && found !== one ? found : undefined;
  };
  const parts = new Map<T, SlowPart[]>();
  for (const one of slow) {
    const outermost = outermostOf(one, outer);
    if (outermost === one) continue;
    const { type, name, durationMs } = one;
    const known = parts.get(outermost) ?? [];
    const same = known.find((part) => part.type === type && part.name === name);
    if (same === undefined) known.push({ type, name, count: 1, worstMs: durationMs });
    else {
      same.count++;
      same.worstMs = Math.max(same.worstMs, durationMs);
    }
    parts.set(outermost, known);
  }
  return slow.flatMap((one) => {
    if (outermostOf(one, outer) !== one) return [];
    const within = parts.get(one)?.sort((a, b) => b.worstMs - a.worstMs);
    return [within === undefined ? one : { ...one, within: within.slice(0, NAMED) }];
  });
}

/** A trace may contain several requests to this service. */
function rootKey({ traceId }: Traced, { name }: { readonly name: string }): string {
  return `${traceId} ${name}`;
}

/** Follows what an operation ran in; spans with invalid parents may form a circle. */
function outermostOf<T>(one: T, outer: (one: T) => T | undefined): T {
  const seen = new Set([one]);
  let current = one;
  for (let next = outer(current); next !== undefined; next = outer(current)) {
    if (seen.has(next)) return one;
    seen.add(next);
    current = next;
  }
  return current;
}
