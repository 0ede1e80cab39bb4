import type { ReleaseVerdict } from '../baseline/release-verdict.js';
import { type ToolContext, ToolFault } from './tool.js';

/** The verdict against a version, by default the previous one. @throws ToolFault for a version without data */
export async function releaseAgainst(
  { monitor }: Pick<ToolContext, 'monitor'>,
  version: string | undefined,
): Promise<ReleaseVerdict> {
  try {
    return await monitor.getReleaseVerdict({ since: version });
  } catch (error) {
    // By its name, as this code is bundled with a class of its own.
    if ((error as Error)?.name !== 'UnknownVersionError') throw error;
    throw new ToolFault((error as Error).message);
  }
}
