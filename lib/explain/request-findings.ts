import type { CallSite } from '../code/call-site.js';
import type { Chain } from '../spans/call-chain.js';
import type { RequestWork } from '../spans/request-work.js';
import { isSequential } from './cause.js';
import { type Loader, loadersOf } from './loader.js';
import { findRepetitions, type Repetition, type RepetitionLimits } from './repetition.js';
import { findSlowSeries, mayBeSeries } from './slow-series.js';

/** What is found in the work of one request that has ended, live or recorded. */
export interface RequestFindings {
  /** The most costly first. */
  readonly loaders: readonly Loader[];
  readonly chains: readonly Chain[];
}

/**
 * Judges the work of a request.
 * @param now when the request ended, in milliseconds
 * @param locate finds the line of a repetition
 */
export function findInRequest(
  work: RequestWork,
  limits: RepetitionLimits,
  now: number,
  locate: (repetition: Repetition) => CallSite | undefined,
): RequestFindings {
  const repetitions = work.mayRepeat ? findRepetitions(work.groups, limits, now) : [];
  const loaders = loadersOf(repetitions, locate);
  const { best } = work.chain;
  // One round of a loader is no chain of its own.
  const isRepeated = best?.names.every((name) => repetitions.some((repetition) => repetition.name === name));
  const chains = isSequential(best) && isRepeated !== true ? [best] : [];
  for (const group of work.some(mayBeSeries) ? work.groups : []) {
    const series = findSlowSeries(group, limits.minRepetitions);
    if (series !== undefined && chains[0]?.names.includes(group.key.name) !== true) chains.push(series);
  }
  return { loaders, chains };
}
