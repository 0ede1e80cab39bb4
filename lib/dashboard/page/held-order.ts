import type { RefObject } from 'preact';
import { useRef } from 'preact/hooks';

/**
 * The order of rows, which stays as it is while somebody points at one of them or has the focus there: what is about to
 * be clicked does not run away. Rows that are new come last meanwhile.
 * @param key what tells why they are in another order; when it changes they are sorted at once
 */
export function useHeldOrder<T>(
  sorted: readonly T[],
  idOf: (row: T) => string,
  container: RefObject<HTMLElement | null>,
  key: string,
): readonly T[] {
  const held = useRef<{ key: string; ids: readonly string[] }>(undefined);
  const element = container.current;
  const isHeld =
    held.current?.key === key &&
    element !== null &&
    (element.contains(document.activeElement) || element.matches(':hover'));
  let rows = sorted;
  if (isHeld && held.current !== undefined) {
    const places = new Map(held.current.ids.map((id, index) => [id, index]));
    const placeOf = (row: T): number => places.get(idOf(row)) ?? places.size;
    rows = [...sorted].sort((a, b) => placeOf(a) - placeOf(b));
  }
  held.current = { key, ids: rows.map(idOf) };
  return rows;
}
