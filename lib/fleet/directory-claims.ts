import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, rename, rm, unlink } from 'node:fs/promises';
import { CLAIM, type FleetDirectory, isMissing, openForWriting, PART } from './fleet-directory.js';
import { type Claims, MAX_CLAIM_BYTES } from './fleet-store.js';

/** A claim that is being made has no time to live for a moment. */
const BEING_MADE_MS = 2000;

/** Claims as files that are created exclusively. The time of a file is that at which its claim expires. */
export class DirectoryClaims implements Claims {
  constructor(
    private readonly directory: FleetDirectory,
    private readonly prefix: string,
  ) {}

  async claim(name: string, value: string, ttlMs: number): Promise<unknown> {
    await this.directory.make();
    const path = this.pathOf(name);
    if (await create(path, value, ttlMs)) return value;
    const stats = await lstat(path).catch(() => undefined);
    if (stats !== undefined && isValid(stats.mtimeMs)) return this.valueOf(name);
    if (stats !== undefined && !(await this.removeExpired(path))) return this.valueOf(name);
    return (await create(path, value, ttlMs)) ? value : this.valueOf(name);
  }

  async renew(name: string, ttlMs: number): Promise<unknown> {
    try {
      const file = await openForWriting(this.pathOf(name), 0);
      try {
        if (!isValid((await file.stat()).mtimeMs)) return undefined;
        await expireIn(file, ttlMs);
      } finally {
        await file.close();
      }
      return await this.valueOf(name);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async release(name: string): Promise<unknown> {
    if (!(await this.directory.exists())) return undefined;
    const value = await this.valueOf(name);
    try {
      await unlink(this.pathOf(name));
      return value;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Of several that find it expired, one can rename it. @returns false if it turns out to be a new one */
  private async removeExpired(path: string): Promise<boolean> {
    const aside = `${this.directory.pathOf(this.prefix)}${randomBytes(8).toString('hex')}${PART}`;
    try {
      await rename(path, aside);
    } catch (error) {
      if (isMissing(error)) return true;
      throw error;
    }
    try {
      if (!isValid((await lstat(aside)).mtimeMs)) return true;
      // Another instance has removed the expired one, and has claimed the name.
      await link(aside, path).catch(() => {});
      return false;
    } finally {
      await rm(aside, { force: true });
    }
  }

  /** Null if it cannot be read. */
  private valueOf(name: string): Promise<unknown> {
    return this.directory.read(`${this.prefix}${name}${CLAIM}`, MAX_CLAIM_BYTES);
  }

  private pathOf(name: string): string {
    return this.directory.pathOf(`${this.prefix}${name}${CLAIM}`);
  }
}

async function create(path: string, value: string, ttlMs: number): Promise<boolean> {
  try {
    const file = await openForWriting(path, constants.O_CREAT | constants.O_EXCL);
    try {
      await file.writeFile(value);
      await expireIn(file, ttlMs);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function expireIn(
  file: { utimes(atime: number, mtime: number): Promise<void> },
  ttlMs: number,
): Promise<void> {
  const at = (Date.now() + ttlMs) / 1000;
  return file.utimes(at, at);
}

/** @param expiresAt milliseconds since 1970 */
function isValid(expiresAt: number): boolean {
  return Date.now() - expiresAt <= BEING_MADE_MS;
}
