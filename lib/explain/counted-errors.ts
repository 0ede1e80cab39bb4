import type { LiveSpan } from '../spans/live-span.js';

/** The errors that were counted, by the chain of operations through which they travelled. */
export class CountedErrors {
  private readonly within = new WeakMap<object, WeakSet<object>>();

  /**
   * Whether an error was not counted before in this chain. An error travels through several operations of a request. The
   * same object may be thrown again by the next one: a constant, or a cached promise that was rejected.
   * @param chain the first is what the error is counted in; it counts as known in the others, too. Empty if unknown.
   */
  isNew(thrown: unknown, chain: readonly object[]): boolean {
    if (typeof thrown !== 'object' || thrown === null) return true;
    const [nearest] = chain;
    if (nearest !== undefined && this.within.get(nearest)?.has(thrown) === true) return false;
    for (const one of chain) {
      let errors = this.within.get(one);
      if (errors === undefined) {
        errors = new WeakSet();
        this.within.set(one, errors);
      }
      errors.add(thrown);
    }
    return true;
  }
}

/**
 * The chain of a failed operation: its request while somebody waits for it. What runs below a stream, or after the end of its
 * root, is a chain of its own each time.
 */
export function chainOf(live: LiveSpan): readonly object[] {
  const { root, request } = live;
  if (live === root || !(root.ended || request.isStream)) return [request];
  let outermost = live;
  while (outermost.parent !== undefined && outermost.parent !== root && !outermost.parent.ended)
    outermost = outermost.parent;
  return [outermost, request];
}
