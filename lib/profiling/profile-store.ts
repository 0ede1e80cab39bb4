import { lstat, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { ProfileCleanup } from './profile-cleanup.js';
import { holdContent, letGo, type ProfileContent, writeWhole } from './profile-content.js';
import { findDirectory, makeDirectory } from './profile-directory.js';
import type { ProfileInfo, ProfileType } from './profile-info.js';
import { isProfileId, newProfileId, parseProfileName, profileName, sidecarName } from './profile-names.js';
import { MAX_SIDECAR_BYTES, type NewProfile, openFile, readSidecar } from './profile-sidecar.js';

export type { NewProfile, ProfileContent };

/** Where profiles are kept, and how many; the oldest give way. */
export interface ProfileStoreOptions {
  /** Made when it is first written to. One that exists must be this user's, and closed to others or free of other things. */
  readonly directory: string;
  /** Of all profiles together, with their descriptions. */
  readonly maxBytes: number;
  readonly maxFiles: number;
  readonly maxAgeMs: number;
}

/** The writes that wait for the one that runs; content that waits holds memory. */
const MAX_WAITING = 16;

/**
 * The directory of profiles. A profile is a file `ID.cpuprofile`, `.heapprofile` or `.heapsnapshot`, with `ID.json` that
 * describes it. Several processes may share the directory, and anybody may empty it at any time.
 */
export class ProfileStore {
  private readonly directory: string;
  /** The write that was handed in last, and with it all before. */
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private cleaned: Promise<void> | undefined;
  private lastFailure: string | undefined;

  /** @param warn told once why profiles are not kept; again after one was */
  constructor(
    private readonly options: ProfileStoreOptions,
    private readonly warn: (message: string) => void,
  ) {
    this.directory = resolve(options.directory);
  }

  /** Why the last write failed, if it did. */
  get failure(): string | undefined {
    return this.lastFailure;
  }

  /** An id for a new profile. Does no I/O. */
  newId(): string {
    return newProfileId();
  }

  /**
   * The absolute path that a profile's file has or will have. Does no I/O.
   * @throws RangeError for what is not an id
   */
  pathOf(id: string, type: ProfileType): string {
    return join(this.directory, profileName(checked(id), type));
  }

  /**
   * Keeps a profile, and lets the oldest go for it. Writes one at a time.
   * @param signal ends the writing; what was written is removed
   * @returns nothing where it could not be written, is too large, or 16 others wait already: it was warned of then.
   * Rejects with the signal's reason only.
   */
  write(
    profile: NewProfile,
    content: ProfileContent,
    signal?: AbortSignal,
  ): Promise<ProfileInfo | undefined> {
    holdContent(content);
    if (this.waiting > MAX_WAITING) {
      letGo(content);
      this.fail(`${MAX_WAITING} profiles wait to be written already`);
      return Promise.resolve(undefined);
    }
    this.waiting++;
    const written = this.last
      .then(() => this.writeNow(profile, content, signal))
      .finally(() => {
        this.waiting--;
      });
    this.last = written.catch(() => {});
    return written;
  }

  /** All profiles, the newest first. Never rejects; what cannot be read is left out. */
  async list(): Promise<ProfileInfo[]> {
    const profiles: ProfileInfo[] = [];
    for (const name of await this.names()) {
      const parsed = parseProfileName(name);
      if (parsed === undefined || !parsed.sidecar || parsed.writer !== undefined) continue;
      const info = await this.find(parsed.id);
      if (info !== undefined) profiles.push(info);
    }
    return profiles.sort((one, other) => (one.id < other.id ? 1 : -1));
  }

  /** Never rejects. @returns nothing for what is not an id, and for a profile that is not there or cannot be read */
  async get(id: string): Promise<ProfileInfo | undefined> {
    return isProfileId(id) && (await this.isReadable()) ? this.find(id) : undefined;
  }

  /**
   * A profile, opened for reading: the caller reads or destroys the stream. Never rejects.
   * @returns nothing as {@link get}
   */
  async open(id: string): Promise<{ info: ProfileInfo; content: Readable } | undefined> {
    const info = await this.get(id);
    if (info === undefined) return undefined;
    try {
      const { file, stats } = await openFile(info.path);
      return { info: { ...info, bytes: stats.size }, content: file.createReadStream() };
    } catch {
      return undefined;
    }
  }

  /** Resolves when all that was handed to {@link write} is written or given up. Never rejects. */
  async flush(): Promise<void> {
    await this.last;
  }

  private async writeNow(
    profile: NewProfile,
    content: ProfileContent,
    signal?: AbortSignal,
  ): Promise<ProfileInfo | undefined> {
    try {
      signal?.throwIfAborted();
      const info = await this.save(profile, content, signal);
      await this.makeRoom(info.id);
      return info;
    } catch (error) {
      letGo(content);
      if (signal?.aborted === true) throw signal.reason;
      this.fail(messageOf(error));
      return undefined;
    }
  }

  private async save(
    profile: NewProfile,
    content: ProfileContent,
    signal?: AbortSignal,
  ): Promise<ProfileInfo> {
    const path = this.pathOf(profile.id, profile.type);
    await makeDirectory(this.directory);
    await this.cleanOnce();
    const sidecar = JSON.stringify(profile);
    const room = this.options.maxBytes - Buffer.byteLength(sidecar);
    const bytes = await writeWhole(path, content, room, signal);
    try {
      await writeWhole(this.sidecarOf(profile.id), sidecar, MAX_SIDECAR_BYTES);
    } catch (error) {
      await rm(path, { force: true }).catch(() => {});
      throw error;
    }
    return { ...profile, bytes, path };
  }

  /** Takes a profile that stays for a success, unless the old ones cannot be removed for it. */
  private async makeRoom(keep: string): Promise<void> {
    try {
      await ProfileCleanup.run(this.directory, this.options, { keep });
      this.lastFailure = undefined;
    } catch (error) {
      this.fail(messageOf(error));
    }
  }

  /** Clears up what earlier processes left, when the directory is first used. Its failure shows at the next write. */
  private cleanOnce(): Promise<void> {
    this.cleaned ??= ProfileCleanup.run(this.directory, this.options, { lookFor: 'crashed' }).catch(() => {});
    return this.cleaned;
  }

  private async isReadable(): Promise<boolean> {
    try {
      if (!(await findDirectory(this.directory))) return false;
      await this.cleanOnce();
      return true;
    } catch {
      // The next write says what is wrong with it.
      return false;
    }
  }

  private async names(): Promise<string[]> {
    return (await this.isReadable()) ? readdir(this.directory).catch(() => []) : [];
  }

  private async find(id: string): Promise<ProfileInfo | undefined> {
    try {
      const profile = await readSidecar(this.sidecarOf(id), id);
      if (profile === undefined) return undefined;
      const path = this.pathOf(id, profile.type);
      const stats = await lstat(path);
      return stats.isFile() ? { ...profile, bytes: stats.size, path } : undefined;
    } catch {
      return undefined;
    }
  }

  private sidecarOf(id: string): string {
    return join(this.directory, sidecarName(checked(id)));
  }

  private fail(reason: string): void {
    const first = this.lastFailure === undefined;
    this.lastFailure = `Profiles are not kept in ${this.directory}: ${reason}`;
    if (first) this.warn(this.lastFailure);
  }
}

function checked(id: string): string {
  if (!isProfileId(id)) throw new RangeError(`${JSON.stringify(id)} is not the id of a profile`);
  return id;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
