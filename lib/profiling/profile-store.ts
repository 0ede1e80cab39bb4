import { lstat, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { reasonOf } from '../async/thrown.js';
import { WriteQueue } from '../async/write-queue.js';
import { type DirectoryRule, findDirectory, makeDirectory } from '../validation/own-directory.js';
import { ForeignFileError, foreignReason, openFile } from '../validation/own-file.js';
import { ProfileCleanup } from './profile-cleanup.js';
import { closeContent, holdContent, type ProfileContent, writeWhole } from './profile-content.js';
import type { ProfileInfo, ProfileType } from './profile-info.js';
import {
  checkedProfileId,
  isOperationId,
  isProfileId,
  newProfileId,
  operationName,
  parseProfileName,
  profileName,
  sidecarName,
} from './profile-names.js';
import { profilesOf, readOperation, type StoredOperation, writeOperation } from './profile-operation.js';
import { MAX_SIDECAR_BYTES, type NewProfile, readSidecar } from './profile-sidecar.js';

export type { NewProfile, ProfileContent };

/** Where profiles are stored, and how many; the oldest are deleted once a limit is reached. */
export interface ProfileStoreOptions {
  /** Created on first use. An existing directory must belong to this user, and be private or contain only profiles. */
  readonly directory: string;
  /** The total of all profiles, with their descriptions. */
  readonly maxBytes: number;
  readonly maxFiles: number;
  readonly maxAgeMs: number;
}

const RULE: DirectoryRule = {
  forbidden: 0o077,
  isOwnName: (name) => parseProfileName(name) !== undefined,
  content: 'profiles',
};

/** Maximum number of waiting writes; their content takes memory. */
const MAX_WAITING = 16;

/**
 * The directory of profiles. A profile is a file `ID.cpuprofile`, `.heapprofile` or `.heapsnapshot`, with an `ID.json` that
 * describes it, and an `ID.OPERATION.slow` with the slow operation that it is of. Several processes may share the directory, and it
 * may be emptied at any time.
 */
export class ProfileStore {
  private readonly directory: string;
  private readonly writes = new WriteQueue(MAX_WAITING);
  private cleaned: Promise<void> | undefined;
  private lastFailure: string | undefined;
  private hasIgnored = false;

  /** @param warn called with the first failure to store profiles, again after a success, and with the first foreign file */
  constructor(
    private readonly options: ProfileStoreOptions,
    private readonly warn: (message: string) => void,
  ) {
    this.directory = resolve(options.directory);
  }

  /** Why profiles cannot be stored, as found last; undefined after a success. */
  get failure(): string | undefined {
    return this.lastFailure;
  }

  /** An id for a new profile. Does no I/O. */
  newId(): string {
    return newProfileId();
  }

  /**
   * The absolute path of a profile's file, whether it exists or not. Does no I/O.
   * @throws RangeError for an invalid id
   */
  pathOf(id: string, type: ProfileType): string {
    return join(this.directory, profileName(checkedProfileId(id), type));
  }

  /**
   * Stores a profile, and deletes the oldest ones for it. Writes one at a time.
   * @param signal aborts the write; a partial file is deleted
   * @returns undefined if it could not be written, is too large, or 16 others already wait; the failure is logged.
   * Rejects only with the signal's reason.
   */
  write(
    profile: NewProfile,
    content: ProfileContent,
    signal?: AbortSignal,
  ): Promise<ProfileInfo | undefined> {
    holdContent(content);
    if (this.writes.isFull) {
      closeContent(content);
      this.fail(`${MAX_WAITING} profiles are already waiting to be written`);
      return Promise.resolve(undefined);
    }
    return this.writes.add(() => this.writeNow(profile, content, signal));
  }

  /** All profiles, newest first. Never rejects; skips what cannot be read. */
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

  /** Never rejects. @returns undefined for an invalid id, and for a profile that does not exist or cannot be read */
  async get(id: string): Promise<ProfileInfo | undefined> {
    return isProfileId(id) && (await this.isReadable()) ? this.find(id) : undefined;
  }

  /**
   * Opens a profile for reading: the caller reads or destroys the stream. Never rejects.
   * @returns undefined as {@link get}
   */
  async open(id: string): Promise<{ info: ProfileInfo; content: Readable } | undefined> {
    const info = await this.get(id);
    if (info === undefined) return undefined;
    try {
      const { file, stats } = await openFile(info.path, { own: true });
      return { info: { ...info, bytes: stats.size }, content: file.createReadStream() };
    } catch {
      return undefined;
    }
  }

  /**
   * Reads a profile as text. Never rejects.
   * @returns undefined as {@link get}; without `text` if it has more than `maxBytes`
   */
  async read(id: string, maxBytes: number): Promise<{ info: ProfileInfo; text?: string } | undefined> {
    const opened = await this.open(id);
    if (opened === undefined) return undefined;
    const { info, content } = opened;
    if (info.bytes > maxBytes) {
      content.destroy();
      return { info };
    }
    try {
      return { info, text: await text(content) };
    } catch {
      return undefined;
    }
  }

  /**
   * Stores the description of the slow operation that a profile belongs to, for as long as the profile. Writes one at a time.
   * @returns whether it was written: not if the profile does not exist, if the ids are invalid, if it is too large, or if 16
   * others already wait. Never rejects.
   */
  writeOperation(profile: string, operation: string, text: string): Promise<boolean> {
    if (!isProfileId(profile) || !isOperationId(operation) || this.writes.isFull)
      return Promise.resolve(false);
    return this.writes
      .add(() => this.writeOperationNow(profile, operation, text))
      .catch((error: unknown) => {
        this.fail(reasonOf(error));
        return false;
      });
  }

  /** The latest description of a slow operation, while its profile exists. Never rejects. */
  async readOperation(operation: string): Promise<StoredOperation | undefined> {
    if (!isOperationId(operation) || !(await this.isReadable())) return undefined;
    try {
      for (const profile of await profilesOf(this.directory, operation)) {
        if ((await this.find(profile)) === undefined) continue;
        const text = await readOperation(join(this.directory, operationName(profile, operation)));
        return text === undefined ? undefined : { profile, text };
      }
    } catch (error) {
      if (error instanceof ForeignFileError) this.ignore(operation, error);
    }
    return undefined;
  }

  /** Resolves when all that was passed to {@link write} has been written or has failed. Never rejects. */
  flush(): Promise<void> {
    return this.writes.settled();
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
      closeContent(content);
      if (signal?.aborted === true) throw signal.reason;
      this.fail(reasonOf(error));
      return undefined;
    }
  }

  /** Together with its profile, it stays within the limit of the directory. */
  private async writeOperationNow(id: string, operation: string, text: string): Promise<boolean> {
    const info = await this.find(id);
    if (info === undefined) return false;
    const { size } = await lstat(this.sidecarOf(id));
    const path = join(this.directory, operationName(id, operation));
    const isWritten = await writeOperation(path, text, this.options.maxBytes - info.bytes - size);
    if (isWritten) await this.makeRoom(id);
    return isWritten;
  }

  private async save(
    profile: NewProfile,
    content: ProfileContent,
    signal?: AbortSignal,
  ): Promise<ProfileInfo> {
    const path = this.pathOf(profile.id, profile.type);
    await makeDirectory(this.directory, RULE);
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

  /** Counts the write as a success, unless old profiles cannot be deleted for it. */
  private async makeRoom(keep: string): Promise<void> {
    try {
      await ProfileCleanup.run(this.directory, this.options, { keep });
      this.lastFailure = undefined;
    } catch (error) {
      this.fail(reasonOf(error));
    }
  }

  /** Deletes what earlier processes left behind, on first use. Its failure shows at the next write. */
  private cleanOnce(): Promise<void> {
    this.cleaned ??= ProfileCleanup.run(this.directory, this.options, { lookFor: 'crashed' }).catch(() => {});
    return this.cleaned;
  }

  private async isReadable(): Promise<boolean> {
    try {
      if (!(await findDirectory(this.directory, RULE))) return false;
      await this.cleanOnce();
      return true;
    } catch (error) {
      this.fail(reasonOf(error));
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
      if (!stats.isFile()) return undefined;
      const reason = foreignReason(stats);
      if (reason !== undefined) throw new ForeignFileError(reason);
      return { ...profile, bytes: stats.size, path };
    } catch (error) {
      if (error instanceof ForeignFileError) this.ignore(id, error);
      return undefined;
    }
  }

  private ignore(id: string, { message }: ForeignFileError): void {
    if (this.hasIgnored) return;
    this.hasIgnored = true;
    this.warn(`The profile ${id} in ${this.directory} is ignored, as are others like it: ${message}`);
  }

  private sidecarOf(id: string): string {
    return join(this.directory, sidecarName(checkedProfileId(id)));
  }

  private fail(reason: string): void {
    const first = this.lastFailure === undefined;
    this.lastFailure = `Profiles cannot be stored in ${this.directory}: ${reason}`;
    if (first) this.warn(this.lastFailure);
  }
}
