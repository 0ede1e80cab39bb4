import { lstat, readdir } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { EXTENSION, readWhole } from '../baseline/baseline-directory.js';
import { BaselineFault, decodeSnapshot } from '../baseline/baseline-format.js';
import { type BaselineSnapshot, MAX_SNAPSHOT_BYTES } from '../baseline/baseline-snapshot.js';
import { show } from '../options/options-error.js';
import { connectionFault, EndpointFault, refusedFault, TOKEN_VARIABLE } from './profile/endpoint-fault.js';

/** Why there is no baseline, in words that begin after what was given. */
export class SourceFault extends Error {}

const PATIENCE_MS = 60_000;

/** The snapshots of a file, of a directory, or of an application. Rejects with {@link SourceFault}. */
export async function snapshotsOf(given: string): Promise<BaselineSnapshot[]> {
  try {
    const snapshots = /^https?:\/\//.test(given)
      ? [decodeSnapshot(await download(given))]
      : await snapshotsIn(given);
    const services = [...new Set(snapshots.map(({ service }) => service))];
    if (services.length > 1)
      throw new SourceFault(`holds baselines of ${services.map(show).join(' and ')}: give the file of one`);
    return snapshots;
  } catch (error) {
    if (error instanceof SourceFault) throw error;
    if (error instanceof BaselineFault) throw new SourceFault(`cannot be compared: ${error.message}`);
    throw new SourceFault(error instanceof Error ? error.message : String(error));
  }
}

async function snapshotsIn(path: string): Promise<BaselineSnapshot[]> {
  if (!(await lstat(path)).isDirectory()) return [decodeSnapshot(await readWhole(path))];
  const names = (await readdir(path)).filter((name) => name.endsWith(EXTENSION)).sort();
  if (names.length === 0) throw new SourceFault(`holds no files *${EXTENSION}`);
  const snapshots: BaselineSnapshot[] = [];
  for (const name of names) {
    try {
      snapshots.push(decodeSnapshot(await readWhole(join(path, name))));
    } catch (error) {
      throw error instanceof BaselineFault ? new SourceFault(`holds ${name}: ${error.message}`) : error;
    }
  }
  return snapshots;
}

/** Follows no redirect: the token is not for others. */
async function download(address: string): Promise<string> {
  if (!URL.canParse(address)) throw new SourceFault('is no address');
  const url = new URL(address);
  if (url.username !== '' || url.password !== '')
    throw new SourceFault('holds a name or a password: leave it out');
  const token = process.env[TOKEN_VARIABLE];
  const answer = await ask(url, token === '' ? undefined : token);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_SNAPSHOT_BYTES) throw new SourceFault(`answers more than ${MAX_SNAPSHOT_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof SourceFault ? error : connectionFault(error);
  }
  if (answer.statusCode !== 200) throw refusedFault(answer.statusCode ?? 0, undefined, token !== undefined);
  return Buffer.concat(chunks).toString();
}

function ask(url: URL, token: string | undefined): Promise<IncomingMessage> {
  const { get } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const asked = get(url, { headers, agent: false, timeout: PATIENCE_MS }, resolve);
    asked.on('timeout', () => asked.destroy(new EndpointFault('the application said nothing for 60 s')));
    asked.on('error', (error) => reject(connectionFault(error)));
  });
}
