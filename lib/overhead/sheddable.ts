/**
 * What may pause to save CPU time, in the order of the ladder: of parts that cost the same, the first one goes first. Counting
 * is none of them.
 */
export const SHEDDABLE = [
  'attribution',
  'profiling',
  'waterfall',
  'values',
  'explaining',
  'providers',
] as const;
export type SheddablePart = (typeof SHEDDABLE)[number];

/** What each part is called in a message. */
export const WORDS: Readonly<Record<SheddablePart, string>> = {
  attribution: 'the lines of code of queries and calls',
  profiling: 'CPU samples',
  waterfall: 'waterfalls',
  values: 'comparing the values of queries and calls',
  explaining: 'explanations',
  providers: 'spans of providers',
};

/** The bit of each part in {@link Shedding.bits}. */
export const ATTRIBUTION = 1;
export const PROFILING = 2;
export const WATERFALL = 4;
export const VALUES = 8;
export const EXPLAINING = 16;
export const PROVIDERS = 32;

/** The parts that pause now, as bits: a request reads them once, when it starts. */
export interface Shedding {
  bits: number;
  /** Since when requests are not explained, in milliseconds since 1970: what was found before is not over. */
  unexplainedSince?: number | undefined;
}

export function bitOf(part: SheddablePart): number {
  return 1 << SHEDDABLE.indexOf(part);
}
