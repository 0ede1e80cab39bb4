import { lstat, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FaultLog } from '../async/fault-log.js';
import { reasonOf } from '../async/thrown.js';
import { isInstanceKey } from '../operation/instance.js';
import { findDirectory, makeDirectory } from '../validation/own-directory.js';
import { ForeignFileError } from '../validation/own-file.js';
import {
  BASELINE_DIRECTORY,
  EXTENSION,
  readWhole,
  removeParts,
  setAside,
  writeWhole,
} from './baseline-directory.js';
import { BaselineFault, decodeSnapshotInSlices, NewerFormatFault, snapshotLines } from './baseline-format.js';
import type { BaselineSnapshot, SnapshotToSave } from './baseline-snapshot.js';
import { type BaselineStore, MAX_LOADED, MAX_SNAPSHOTS } from './baseline-store.js';

/** Errors that are temporary. Loading fails with them, since leaving the file out would lose its data. */
const TEMPORARY = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EBUSY', 'EIO', 'ESTALE', 'ETIMEDOUT']);

/**
 * Snapshots as files `INSTANCE.baseline` in one directory, which is created by the first save. Several processes of one
 * user may share it; files that another user may have written are ignored. Files are replaced atomically, so a killed process leaves its previous file intact.
 */
export class FileBaselineStore implements BaselineStore {
  private readonly directory: string;
  private readonly faults: FaultLog;
  /** Settles when all saves so far have. */
  private last: Promise<unknown> = Promise.resolve();

  /** @param maxLoaded the number of characters that are read, of the files written last */
  constructor(
    directory: string,
    warn: (message: string) => void,
    private readonly maxLoaded = MAX_LOADED,
  ) {
    this.directory = resolve(directory);
    this.faults = new FaultLog(warn);
  }

  async load(service: string): Promise<BaselineSnapshot[] | undefined> {
    try {
      const snapshots = await this.snapshots(service);
      this.faults.succeed('load');
      return snapshots;
    } catch (error) {
      this.faults.fail('load', `Baselines could not be read from ${this.directory}: ${reasonOf(error)}`);
      return undefined;
    }
  }

  private async snapshots(service: string): Promise<BaselineSnapshot[]> {
    const snapshots: BaselineSnapshot[] = [];
    let loaded = 0;
    for (const name of await this.names()) {
      const text = await this.textOf(name);
      loaded += text?.length ?? 0;
      if (loaded > this.maxLoaded) break;
      const snapshot = text === undefined ? undefined : await this.decode(name, text);
      if (snapshot?.service === service) snapshots.push(snapshot);
    }
    return snapshots;
  }

  save(snapshot: SnapshotToSave): Promise<boolean> {
    // One at a time, since they write to the same partial file.
    const saved = this.last.then(() => this.saveNow(snapshot));
    // The next save must not fail because of this one.
    this.last = saved.catch(() => {});
    return saved;
  }

  async remove(_service: string, instance: string): Promise<void> {
    if (!isInstanceKey(instance)) return;
    try {
      if (!(await findDirectory(this.directory, BASELINE_DIRECTORY))) return;
      await rm(join(this.directory, `${instance}${EXTENSION}`), { force: true });
    } catch (error) {
      this.faults.fail('remove', `A baseline in ${this.directory} could not be removed: ${reasonOf(error)}`);
    }
  }

  private async saveNow(snapshot: SnapshotToSave): Promise<boolean> {
    try {
      if (!isInstanceKey(snapshot.instance)) throw new RangeError('the instance is not a valid id');
      await makeDirectory(this.directory, BASELINE_DIRECTORY);
      await writeWhole(this.directory, `${snapshot.instance}${EXTENSION}`, snapshotLines(snapshot));
      this.faults.succeed('save');
      return true;
    } catch (error) {
      this.faults.fail('save', `The baseline could not be saved in ${this.directory}: ${reasonOf(error)}`);
      return false;
    }
  }

  /** The names of snapshot files, the one written last first. */
  private async names(): Promise<string[]> {
    if (!(await findDirectory(this.directory, BASELINE_DIRECTORY))) return [];
    const all = await readdir(this.directory);
    await removeParts(this.directory, all);
    const dated: { name: string; at: number }[] = [];
    for (const name of all) {
      if (!name.endsWith(EXTENSION) || !isInstanceKey(name.slice(0, -EXTENSION.length))) continue;
      const stats = await lstat(join(this.directory, name)).catch(() => undefined);
      if (stats !== undefined) dated.push({ name, at: stats.mtimeMs });
    }
    dated.sort((one, other) => other.at - one.at);
    return dated.slice(0, MAX_SNAPSHOTS).map(({ name }) => name);
  }

  private async textOf(name: string): Promise<string | undefined> {
    try {
      return await readWhole(join(this.directory, name), { own: true });
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (TEMPORARY.has(code)) throw error;
      // Another process may have removed it.
      if (error instanceof ForeignFileError) this.ignore(name, error, 'foreign');
      else if (code !== 'ENOENT') this.ignore(name, error);
      return undefined;
    }
  }

  private async decode(name: string, text: string): Promise<BaselineSnapshot | undefined> {
    try {
      const snapshot = await decodeSnapshotInSlices(text);
      if (`${snapshot.instance}${EXTENSION}` !== name)
        throw new BaselineFault('its name differs from its instance');
      return snapshot;
    } catch (error) {
      if (error instanceof BaselineFault && !(error instanceof NewerFormatFault)) {
        const path = join(this.directory, name);
        this.faults.fail(
          name,
          `The baseline ${path} is damaged and was renamed to ${name}.corrupt: ${error.message}`,
        );
        await setAside(this.directory, name).catch(() => {});
      } else this.ignore(name, error);
      return undefined;
    }
  }

  /** @param key one warning is given for each */
  private ignore(name: string, error: unknown, key = name): void {
    this.faults.fail(key, `The baseline ${join(this.directory, name)} is ignored: ${reasonOf(error)}`);
  }
}
