import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type DirectoryRule, findDirectory, makeDirectory } from '../validation/own-directory.js';
import { openFile } from '../validation/own-file.js';
import { RECORD_TTL_MS, SUMMARY_TTL_MS } from './fleet-store.js';

export const SUMMARY = '.instance';
export const SLOW = '.slow';
export const FIRING = '.firing';
export const CLAIM = '.claim';
export const PART = '.part';
/** How long each kind of file is kept after it was written; a claim, after it has expired. */
const TTL_MS: ReadonlyMap<string, number> = new Map([
  [SUMMARY, SUMMARY_TTL_MS],
  [SLOW, RECORD_TTL_MS],
  [FIRING, SUMMARY_TTL_MS],
  [CLAIM, SUMMARY_TTL_MS],
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

/** A file with the time at which it was written, in milliseconds since 1970. */
export interface DatedFile {
  readonly name: string;
  readonly at: number;
}

/** The directory in which instances publish. Only this user may enter it, and no link is followed. */
export class FleetDirectory {
  readonly path: string;
  private tidiedAt = Number.NEGATIVE_INFINITY;

  constructor(directory: string) {
    this.path = resolve(directory);
  }

  make(): Promise<void> {
    return makeDirectory(this.path, RULE);
  }

  exists(): Promise<boolean> {
    return findDirectory(this.path, RULE);
  }

  /** The path of a file. @param name one that {@link ttlOf} knows */
  pathOf(name: string): string {
    return join(this.path, name);
  }

  /** The files of a kind. */
  async list(prefix: string, suffix: string): Promise<DatedFile[]> {
    const files: DatedFile[] = [];
    for (const name of (await readdir(this.path)).slice(0, MAX_FILES)) {
      if (!name.startsWith(prefix) || !name.endsWith(suffix)) continue;
      const stats = await lstat(this.pathOf(name)).catch(() => undefined);
      if (stats !== undefined) files.push({ name, at: stats.mtimeMs });
    }
    return files;
  }

  /** Replaces a file atomically. */
  async write(name: string, text: string): Promise<void> {
    await this.make();
    const path = this.pathOf(name);
    const part = `${path}${PART}`;
    const file = await openForWriting(part, constants.O_CREAT | constants.O_TRUNC);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(part, path);
  }

  /**
   * A value for a file that cannot be read, or that another user may have written, is not text, so that it is counted as
   * invalid; undefined for one that does not exist, or was written longer ago.
   */
  async read(name: string, maxBytes: number, maxAgeMs = Number.POSITIVE_INFINITY): Promise<unknown> {
    try {
      const { file, stats } = await openFile(this.pathOf(name), { own: true });
      try {
        if (Date.now() - stats.mtimeMs > maxAgeMs) return undefined;
        return stats.size > maxBytes ? null : await file.readFile('utf8');
      } finally {
        await file.close();
      }
    } catch (error) {
      return isMissing(error) ? undefined : null;
    }
  }

  async remove(name: string): Promise<void> {
    if (await this.exists()) await rm(this.pathOf(name), { force: true });
  }

  /** Removes what has expired, of all services. */
  async tidy(): Promise<void> {
    const now = Date.now();
    if (now - this.tidiedAt < TIDY_MS) return;
    this.tidiedAt = now;
    for (const name of (await readdir(this.path)).slice(0, MAX_FILES)) {
      const ttlMs = ttlOf(name);
      if (ttlMs === undefined) continue;
      const path = this.pathOf(name);
      const stats = await lstat(path).catch(() => undefined);
      if (stats !== undefined && now - stats.mtimeMs > ttlMs) await rm(path, { force: true });
    }
  }
}

/** Opens a file for writing, for this user only. Follows no link and waits for no pipe. */
export function openForWriting(path: string, flags: number): Promise<FileHandle> {
  const { O_WRONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  return open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | flags, 0o600);
}

/** Whether an error says that a file does not exist. */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** How long a file of this name is kept; undefined if it is not one of these. */
function ttlOf(name: string): number | undefined {
  const dot = name.lastIndexOf('.');
  return /^[0-9a-f]{12}\./.test(name) && dot > 0 ? TTL_MS.get(name.slice(dot)) : undefined;
}
