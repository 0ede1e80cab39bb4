import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { foreignReason } from '../validation/own-file.js';
import { PROFILE_TYPES } from './profile-info.js';
import { parseProfileName, profileName, timeOf } from './profile-names.js';

/** Limits of the directory of profiles. */
export interface ProfileBudgets {
  /** The total of all profiles, descriptions included. */
  readonly maxBytes: number;
  readonly maxFiles: number;
  readonly maxAgeMs: number;
}

/** After this time an incomplete file counts as abandoned. */
const ABANDONED_MS = 60 * 60 * 1000;

/** The files of one profile. */
interface StoredProfile {
  readonly id: string;
  readonly names: string[];
  bytes: number;
  modifiedAt: number;
  profile: boolean;
  sidecar: boolean;
}

/**
 * Deletes abandoned files, and the oldest profiles once a limit is exceeded. Touches only files named by this library.
 */
export class ProfileCleanup {
  /** The error of the last file that could not be deleted. */
  private failure: unknown;

  private constructor(private readonly directory: string) {}

  /**
   * Other processes may run it at the same time.
   * @param lookFor `crashed`: also deletes temporary files of processes that no longer exist. Only for the first run:
   * if containers share a directory, processes of other containers seem not to exist.
   * @param keep the id of a profile that is kept regardless of the limits
   * @throws Error if the directory cannot be read or a file cannot be deleted; the other files are deleted nevertheless
   */
  static async run(
    directory: string,
    budgets: ProfileBudgets,
    { lookFor, keep }: { lookFor?: 'crashed'; keep?: string } = {},
  ): Promise<void> {
    const cleanup = new ProfileCleanup(directory);
    const stored = await cleanup.scan(lookFor === 'crashed');
    await cleanup.enforce(await cleanup.withoutHalves(stored), budgets, keep);
    if (cleanup.failure !== undefined) throw cleanup.failure;
  }

  /** Deletes temporary files, and returns the profiles, oldest first. */
  private async scan(crashed: boolean): Promise<StoredProfile[]> {
    const found = new Map<string, StoredProfile>();
    for (const name of await namesIn(this.directory)) {
      const parsed = parseProfileName(name);
      if (parsed === undefined) continue;
      const stats = await lstat(join(this.directory, name)).catch(() => undefined);
      // The files of other users take no part in the limits.
      if (stats === undefined || !stats.isFile() || foreignReason(stats) !== undefined) continue;
      const { id, sidecar, operation, writer } = parsed;
      if (writer !== undefined) {
        if (isAbandoned(stats.mtimeMs) || (crashed && !isWriting(writer, stats.mtimeMs)))
          await this.remove(name);
        continue;
      }
      const entry = found.get(id) ?? {
        id,
        names: [],
        bytes: 0,
        modifiedAt: 0,
        profile: false,
        sidecar: false,
      };
      found.set(id, entry);
      // The description is deleted last: a profile without one would count for an hour.
      if (sidecar) entry.names.push(name);
      else entry.names.unshift(name);
      if (operation === undefined) entry[sidecar ? 'sidecar' : 'profile'] = true;
      entry.bytes += stats.size;
      entry.modifiedAt = Math.max(entry.modifiedAt, stats.mtimeMs);
    }
    return [...found.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** Deletes descriptions without a profile, and abandoned profiles without a description. */
  private async withoutHalves(stored: StoredProfile[]): Promise<StoredProfile[]> {
    const whole: StoredProfile[] = [];
    for (const entry of stored) {
      const half = entry.profile
        ? !entry.sidecar && isAbandoned(entry.modifiedAt)
        : !(await this.hasProfile(entry.id));
      if (!half || !(await this.removeAll(entry))) whole.push(entry);
    }
    return whole;
  }

  /** A directory listing is not atomic: it may miss a new profile but list its description. */
  private async hasProfile(id: string): Promise<boolean> {
    for (const type of PROFILE_TYPES) {
      const path = join(this.directory, profileName(id, type));
      if ((await lstat(path).catch(() => undefined)) !== undefined) return true;
    }
    return false;
  }

  private async enforce(stored: StoredProfile[], budgets: ProfileBudgets, keep?: string): Promise<void> {
    const { maxBytes, maxFiles, maxAgeMs } = budgets;
    let files = stored.length;
    let bytes = stored.reduce((sum, entry) => sum + entry.bytes, 0);
    const oldest = Date.now() - maxAgeMs;
    for (const entry of stored) {
      if (entry.id === keep) continue;
      if (files <= maxFiles && bytes <= maxBytes && timeOf(entry.id) >= oldest) continue;
      if (!(await this.removeAll(entry))) continue;
      files--;
      bytes -= entry.bytes;
    }
  }

  private async removeAll({ names }: StoredProfile): Promise<boolean> {
    for (const name of names) if (!(await this.remove(name))) return false;
    return true;
  }

  private async remove(name: string): Promise<boolean> {
    try {
      await rm(join(this.directory, name), { force: true });
      return true;
    } catch (error) {
      this.failure = error;
      return false;
    }
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    // The directory was deleted meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function isAbandoned(modifiedAt: number): boolean {
  return modifiedAt < Date.now() - ABANDONED_MS;
}

/** Whether the process that the temporary file is named after may still be writing it. */
function isWriting(pid: number, modifiedAt: number): boolean {
  // Processes of different containers share ids: an earlier process with our id has ended.
  if (pid === process.pid) return modifiedAt >= Date.now() - process.uptime() * 1000;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // The process belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
