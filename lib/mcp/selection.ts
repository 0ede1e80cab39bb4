import { times } from '../explain/words.js';
import { whole } from './arguments.js';

/** The lengths of lists. */
export const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 50;

export const limit = whole(`Maximum number of entries. Default ${DEFAULT_LIMIT}`, 1, MAX_LIMIT);

/** A list that was filtered and shortened. */
export interface Selection<T> {
  readonly shown: readonly T[];
  /** How many match. */
  readonly matching: number;
  /** How many there are without a filter. */
  readonly total: number;
}

export function selected<T>(
  all: readonly T[],
  matches: (one: T) => boolean,
  max: number | undefined,
): Selection<T> {
  const matching = all.filter(matches);
  return {
    shown: matching.slice(0, max ?? DEFAULT_LIMIT),
    matching: matching.length,
    total: all.length,
  };
}

/** `3 findings`, `2 of 12 findings match; 10 are shown: raise limit or filter more`. */
export function headOf({ shown, matching, total }: Selection<unknown>, noun: string): string {
  const counted = matching === total ? times(total, noun) : `${matching} of ${times(total, noun)} match`;
  return shown.length === matching
    ? `${counted}.`
    : `${counted}. The first ${shown.length} are listed: raise limit or filter more.`;
}

/** Whether a text contains another one, in upper or lower case. */
export function contains(text: string | undefined, part: string | undefined): boolean {
  return part === undefined || text?.toLowerCase().includes(part.toLowerCase()) === true;
}

/** The first of each name and type, in the same order. */
export function firstOfEach<T extends { readonly type: string; readonly name: string }>(
  all: readonly T[],
): T[] {
  const seen = new Set<string>();
  return all.filter(({ type, name }) => {
    const key = `${type} ${name}`;
    return !seen.has(key) && seen.add(key);
  });
}
