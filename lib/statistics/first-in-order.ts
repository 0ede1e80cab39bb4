/**
 * The first items in an order, up to `limit`, as `[...items].sort(compare).slice(0, limit)` gives them. Only what may be among
 * them is sorted, so that a short list of many items costs little more than to read them.
 */
export function firstInOrder<T>(
  items: Iterable<T>,
  limit: number,
  compare: (one: T, other: T) => number,
): T[] {
  let first: T[] = [];
  let last: T | undefined;
  const cut = (): T[] => first.sort(compare).slice(0, limit);
  for (const item of items) {
    // Of equal items, the earlier ones come first.
    if (last !== undefined && compare(item, last) >= 0) continue;
    first.push(item);
    if (first.length < 2 * limit) continue;
    first = cut();
    last = first.at(-1);
  }
  return cut();
}
