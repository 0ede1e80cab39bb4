import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EXTENSION, readWhole } from '../baseline/baseline-directory.js';
import { BaselineFault, decodeSnapshot } from '../baseline/baseline-format.js';
import { type BaselineSnapshot, MAX_SNAPSHOT_BYTES } from '../baseline/baseline-snapshot.js';
import { formatValue } from '../validation/options-error.js';
import { accepted, askEndpoint, textOf, tokenOfEnvironment } from './endpoint-request.js';
import { UsageError } from './options.js';

/** Why a source has no baseline. The message continues the name of the source. */
export class SourceFault extends Error {}

/** The snapshots of a file, of a directory, or of an application. Rejects with {@link SourceFault}. */
export async function snapshotsOf(given: string): Promise<BaselineSnapshot[]> {
  try {
    const snapshots = /^https?:\/\//.test(given)
      ? [decodeSnapshot(await download(given))]
      : await snapshotsIn(given);
    const services = [...new Set(snapshots.map(({ service }) => service))];
    if (services.length > 1)
      throw new SourceFault(
        `contains baselines of ${services.map(formatValue).join(' and ')}: expected those of one service`,
      );
    return snapshots;
  } catch (error) {
    if (error instanceof SourceFault || error instanceof UsageError) throw error;
    if (error instanceof BaselineFault) throw new SourceFault(`cannot be compared: ${error.message}`);
    throw new SourceFault(error instanceof Error ? error.message : String(error));
  }
}

async function snapshotsIn(path: string): Promise<BaselineSnapshot[]> {
  if (!(await lstat(path)).isDirectory()) return [decodeSnapshot(await readWhole(path, { own: false }))];
  const names = (await readdir(path)).filter((name) => name.endsWith(EXTENSION)).sort();
  if (names.length === 0) throw new SourceFault(`contains no *${EXTENSION} files`);
  const snapshots: BaselineSnapshot[] = [];
  for (const name of names) {
    try {
      snapshots.push(decodeSnapshot(await readWhole(join(path, name), { own: false })));
    } catch (error) {
      throw error instanceof BaselineFault ? new SourceFault(`contains ${name}: ${error.message}`) : error;
    }
  }
  return snapshots;
}

async function download(address: string): Promise<string> {
  if (!URL.canParse(address)) throw new SourceFault('is not a valid address');
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') throw new SourceFault('contains credentials: remove them');
  const token = tokenOfEnvironment();
  const answer = await accepted(await askEndpoint('GET', url, { token }), 200, token !== undefined);
  const text = await textOf(answer, MAX_SNAPSHOT_BYTES);
  if (text === undefined) throw new SourceFault(`exceeds ${MAX_SNAPSHOT_BYTES} bytes`);
  return text;
}
