import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isInstanceKey } from '../operation/instance.js';
import { type DirectoryRule, findDirectory, makeDirectory } from '../validation/own-directory.js';
import { openFile } from '../validation/own-file.js';
import {
  type FleetStore,
  isRecordId,
  MAX_INSTANCES,
  MAX_RECORD_BYTES,
  type Published,
  RECORD_TTL_MS,
  SUMMARY_TTL_MS,
} from './fleet-store.js';
import { MAX_SUMMARY_BYTES } from './instance-summary.js';

const SUMMARY = '.instance';
const SLOW = '.slow';
const PART = '.part';
/** How long each kind of file is kept after it was written. */
const TTL_MS: ReadonlyMap<string, number> = new Map([
  [SUMMARY, SUMMARY_TTL_MS],
  [SLOW, RECORD_TTL_MS],
  [PART, SUMMARY_TTL_MS],
]);
/** How often files that have expired are removed. */
const TIDY_MS = 60_000;
/** Files that are looked at: more can only be there if something else writes them. */
const MAX_FILES = 20_000;

const RULE: DirectoryRule = {
  forbidden: 0o077,
  isOwnName: (name) => ttlOf(name) !== undefined,
  content: 'fleet',
};

/**
 * Publishes in a directory that processes of one user share, on one machine or a shared file system. Files are replaced
 * atomically, and not forced to the disk: they concern the next minutes only.
 */
export class DirectoryFleetStore implements FleetStore {
  private readonly directory: string;
  /** Different services may share the directory. */
  private readonly prefix: string;
  private tidiedAt = Number.NEGATIVE_INFINITY;

  constructor(directory: string, service: string) {
    this.directory = resolve(directory);
    this.prefix = `${createHash('sha256').update(service).digest('hex').slice(0, 12)}.`;
  }

  async publish(key: string, text: string): Promise<void> {
    await this.write(`${this.prefix}${key}${SUMMARY}`, text);
    await this.tidy();
  }

  withdraw(key: string): Promise<void> {
    return this.remove(`${this.prefix}${key}${SUMMARY}`);
  }

  async published(): Promise<Published> {
    if (!(await findDirectory(this.directory, RULE))) return { summaries: [], omitted: 0 };
    const dated: { name: string; key: string; at: number }[] = [];
    for (const name of (await readdir(this.directory)).slice(0, MAX_FILES)) {
      const key = name.slice(this.prefix.length, -SUMMARY.length);
      if (!name.startsWith(this.prefix) || !name.endsWith(SUMMARY) || !isInstanceKey(key)) continue;
      const stats = await lstat(join(this.directory, name)).catch(() => undefined);
      if (stats !== undefined) dated.push({ name, key, at: stats.mtimeMs });
    }
    dated.sort((one, other) => other.at - one.at);
    const summaries: { key: string; text: unknown }[] = [];
    for (const { name, key } of dated.slice(0, MAX_INSTANCES)) {
      const text = await this.read(name, MAX_SUMMARY_BYTES);
      if (text !== undefined) summaries.push({ key, text });
    }
    return { summaries, omitted: Math.max(0, dated.length - MAX_INSTANCES) };
  }

  keep(id: string, text: string): Promise<void> {
    return this.write(this.recordName(id), text);
  }

  async find(id: string): Promise<unknown> {
    if (!isRecordId(id) || !(await findDirectory(this.directory, RULE))) return undefined;
    return this.read(this.recordName(id), MAX_RECORD_BYTES);
  }

  drop(id: string): Promise<void> {
    return this.remove(this.recordName(id));
  }

  private recordName(id: string): string {
    return `${this.prefix}${id}${SLOW}`;
  }

  /** Follows no link. */
  private async write(name: string, text: string): Promise<void> {
    await makeDirectory(this.directory, RULE);
    const path = join(this.directory, name);
    const part = `${path}${PART}`;
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
    const file = await open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o600);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(part, path);
  }

  /**
   * A value for a file that cannot be read, or that another user may have written, is not text, so that it is counted as
   * invalid; undefined for one that does not exist.
   */
  private async read(name: string, maxBytes: number): Promise<unknown> {
    try {
      const { file, stats } = await openFile(join(this.directory, name), { own: true });
      try {
        return stats.size > maxBytes ? null : await file.readFile('utf8');
      } finally {
        await file.close();
      }
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : null;
    }
  }

  private async remove(name: string): Promise<void> {
    if (await findDirectory(this.directory, RULE)) await rm(join(this.directory, name), { force: true });
  }

  /** Removes what has expired, of all services. */
  private async tidy(): Promise<void> {
    const now = Date.now();
    if (now - this.tidiedAt < TIDY_MS) return;
    this.tidiedAt = now;
    for (const name of (await readdir(this.directory)).slice(0, MAX_FILES)) {
      const ttlMs = ttlOf(name);
      if (ttlMs === undefined) continue;
      const path = join(this.directory, name);
      const stats = await lstat(path).catch(() => undefined);
      if (stats !== undefined && now - stats.mtimeMs > ttlMs) await rm(path, { force: true });
    }
  }
}

/** How long a file of this name is kept; undefined if it is not one of these. */
function ttlOf(name: string): number | undefined {
  const dot = name.lastIndexOf('.');
  return /^[0-9a-f]{12}\./.test(name) && dot > 0 ? TTL_MS.get(name.slice(dot)) : undefined;
}
