import type { MergedBaseline } from './baseline-merge.js';
import type { BaselineSnapshot } from './baseline-snapshot.js';
import { type JudgedRelease, type JudgeOptions, judgingRelease } from './judge-release.js';
import { CHANGE_VERDICTS } from './operation-change.js';
import type { ReleaseVerdict } from './release-verdict.js';
import { comparedVersion, mergedVersion, versionsOf } from './release-versions.js';
import { wordsOfRelease, wordsWithoutData } from './release-words.js';

export interface ReleaseOptions extends JudgeOptions {
  readonly service: string;
  /** The version that is judged. */
  readonly version: string | undefined;
  /** The version it is compared with; by default the other one that saved last. */
  readonly since?: string | undefined;
  /** Whether baselines are learned at all. Default true. */
  readonly enabled?: boolean;
}

const DEFAULTS = { minEffectPercent: 10, minEffectMs: 2, alpha: 0.002 } as const;

/**
 * Judges a version of a service by the snapshots of all its instances, one operation at a time.
 * @throws UnknownVersionError if `since` has no data
 */
export function* judgingVersion(
  snapshots: readonly BaselineSnapshot[],
  { service, version, since, enabled = true, ...given }: ReleaseOptions,
): Generator<undefined, ReleaseVerdict> {
  const options = { ...DEFAULTS, ...given };
  const { minEffectPercent, minEffectMs, alpha } = options;
  const versions = versionsOf(snapshots);
  const common = { service, versions, minEffectPercent, minEffectMs, alpha };
  const without = (explanation: string): ReleaseVerdict => ({ ...NOTHING, ...common, explanation });
  if (!enabled) return without(wordsWithoutData('disabled'));
  if (version === undefined) return without(wordsWithoutData('no version'));
  const previous = comparedVersion(versions, version, since);
  const current = versions.find((one) => one.version === version);
  if (current === undefined) return without(wordsWithoutData('not yet', version));
  if (previous === undefined) return without(wordsWithoutData('no other version', version));
  const before = yield* mergedVersion(snapshots, previous.version);
  const after = yield* mergedVersion(snapshots, version);
  const judged = yield* judgingRelease(before, after, options);
  return {
    ...judged,
    ...common,
    after: { ...judged.after, ...current },
    before: { ...judged.before, ...previous },
    explanation: wordsOfRelease(judged),
  };
}

/**
 * Judges one instance against another one that runs at the same time, by the periods in which both ran.
 * @param before,after the merged data of each
 */
export function* judgingBeside(
  service: string,
  before: MergedBaseline,
  after: MergedBaseline,
): Generator<undefined, ReleaseVerdict> {
  const judged = yield* judgingRelease(before, after, { ...DEFAULTS, onlySameTime: true });
  return { ...judged, ...DEFAULTS, service, versions: [], explanation: wordsOfRelease(judged) };
}

const NOTHING: Omit<JudgedRelease, 'before' | 'after'> = {
  verdict: 'not enough data',
  isSameTime: false,
  counts: {
    ...(Object.fromEntries(CHANGE_VERDICTS.map((verdict) => [verdict, 0])) as ReleaseVerdict['counts']),
    new: 0,
    gone: 0,
  },
  operations: [],
  below: [],
};
