import { formatValue } from '../validation/options-error.js';
import { type MergedBaseline, mergingVersion, withoutAbsorbed } from './baseline-merge.js';
import type { BaselineSnapshot } from './baseline-snapshot.js';
import type { ReleaseVersion } from './release-verdict.js';
import { UnknownVersionError } from './unknown-version.js';

/** The number of versions that an error names. */
const MAX_NAMED = 10;
/** Data of one version is not weighted by age. */
const NO_DECAY_MS = Number.POSITIVE_INFINITY;

/** The versions with data, that saved last first. */
export function versionsOf(snapshots: readonly BaselineSnapshot[]): ReleaseVersion[] {
  const versions = new Map<string, ReleaseVersion>();
  for (const { version, startedAt, savedAt, absorbs, operations } of withoutAbsorbed(snapshots)) {
    if (version === undefined || !operations.some(({ periods }) => periods !== undefined)) continue;
    const known = versions.get(version);
    versions.set(version, {
      version,
      startedAt: Math.min(startedAt, known?.startedAt ?? startedAt),
      savedAt: Math.max(savedAt, known?.savedAt ?? savedAt),
      instances: Math.max(1, absorbs.length) + (known?.instances ?? 0),
    });
  }
  return [...versions.values()].sort((one, other) => other.savedAt - one.savedAt);
}

/**
 * The version to compare with: the one asked for, otherwise the one that saved last. Undefined if there is no other one.
 * @throws {@link UnknownVersionError}
 */
export function comparedVersion(
  versions: readonly ReleaseVersion[],
  current: string,
  since: string | undefined,
): ReleaseVersion | undefined {
  const others = versions.filter(({ version }) => version !== current);
  if (since === undefined) return others[0];
  const found = others.find(({ version }) => version === since);
  if (found !== undefined) return found;
  const named = others.slice(0, MAX_NAMED).map(({ version }) => version);
  const expected =
    named.length === 0
      ? `another version than ${formatValue(current)}, and there is none`
      : `one of ${named.join(', ')}`;
  throw new UnknownVersionError(`Invalid version: received ${formatValue(since)}, expected ${expected}`);
}

/** The data of one version, one operation at a time. */
export function* mergedVersion(
  snapshots: readonly BaselineSnapshot[],
  version: string,
): Generator<undefined, MergedBaseline> {
  const same = withoutAbsorbed(snapshots).filter((one) => one.version === version);
  const at = Math.max(...same.map(({ savedAt }) => savedAt));
  return yield* mergingVersion(same, { at, halfLifeMs: NO_DECAY_MS });
}
