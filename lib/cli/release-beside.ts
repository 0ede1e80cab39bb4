import { runToCompletion } from '../async/cooperative.js';
import { mergeVersion } from '../baseline/baseline-merge.js';
import type { BaselineSnapshot } from '../baseline/baseline-snapshot.js';
import { judgingBeside } from '../baseline/release.js';
import type { ReleaseVerdict } from '../baseline/release-verdict.js';
import { SourceFault, snapshotsOf } from './compare-source.js';

/**
 * The verdict of one application against another one that runs at the same time, by the periods in which both ran.
 * @param base,beside addresses of endpoints. Rejects with {@link SourceFault}
 */
export async function verdictBeside(base: string, beside: string): Promise<ReleaseVerdict> {
  const [after, before] = await Promise.all([snapshotOf(base), snapshotOf(beside)]);
  const merged = (snapshot: BaselineSnapshot): ReturnType<typeof mergeVersion> =>
    mergeVersion([snapshot], { at: snapshot.savedAt, halfLifeMs: Number.POSITIVE_INFINITY });
  return runToCompletion(judgingBeside(after.service, merged(before), merged(after)));
}

async function snapshotOf(base: string): Promise<BaselineSnapshot> {
  try {
    const [snapshot] = await snapshotsOf(`${base}/baseline`);
    return snapshot as BaselineSnapshot;
  } catch (error) {
    throw error instanceof SourceFault ? new SourceFault(`${base}/baseline: ${error.message}`) : error;
  }
}
