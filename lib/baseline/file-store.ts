import { lstat, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  EXTENSION,
  makeBaselineDirectory,
  readWhole,
  removeParts,
  setAside,
  writeWhole,
} from './baseline-directory.js';
import { BaselineFault, decodeSnapshotInSlices, NewerFormatFault, snapshotLines } from './baseline-format.js';
import { type BaselineSnapshot, isInstanceId, type SnapshotToSave } from './baseline-snapshot.js';
import { type BaselineStore, FaultLog, MAX_LOADED, MAX_SNAPSHOTS, reasonOf } from './baseline-store.js';

/** What keeps a file from being read for the moment: what it holds must not be missing for that. */
const PASSING = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EBUSY', 'EIO', 'ESTALE', 'ETIMEDOUT']);

/**
 * Snapshots as files `INSTANCE.baseline` of one directory, which is made when it is first written to. Several processes
 * may share it. A file is replaced in one step, so a process that is killed leaves the last one whole.
 */
export class FileBaselineStore implements BaselineStore {
  private readonly directory: string;
  private readonly faults: FaultLog;
  /** The save that was handed in last, and with it all before. */
  private last: Promise<unknown> = Promise.resolve();

  /** @param maxLoaded characters that are read together; of more, those written last */
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
      this.faults.fail('load', `The baseline could not be read from ${this.directory}: ${reasonOf(error)}`);
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
    // One at a time: they write to the same part.
    const saved = this.last.then(() => this.saveNow(snapshot));
    // Whoever saves next shall not fail for what this one meets.
    this.last = saved.catch(() => {});
    return saved;
  }

  async remove(_service: string, instance: string): Promise<void> {
    if (!isInstanceId(instance)) return;
    await rm(join(this.directory, `${instance}${EXTENSION}`), { force: true }).catch((error: unknown) =>
      this.faults.fail('remove', `A baseline in ${this.directory} could not be removed: ${reasonOf(error)}`),
    );
  }

  private async saveNow(snapshot: SnapshotToSave): Promise<boolean> {
    try {
      if (!isInstanceId(snapshot.instance)) throw new RangeError('instance is not an id');
      await makeBaselineDirectory(this.directory);
      await writeWhole(this.directory, `${snapshot.instance}${EXTENSION}`, snapshotLines(snapshot));
      this.faults.succeed('save');
      return true;
    } catch (error) {
      this.faults.fail('save', `The baseline could not be saved in ${this.directory}: ${reasonOf(error)}`);
      return false;
    }
  }

  /** The files of snapshots, the one written last first. */
  private async names(): Promise<string[]> {
    const all = await readdir(this.directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    await removeParts(this.directory, all);
    const dated: { name: string; at: number }[] = [];
    for (const name of all) {
      if (!name.endsWith(EXTENSION) || !isInstanceId(name.slice(0, -EXTENSION.length))) continue;
      const stats = await lstat(join(this.directory, name)).catch(() => undefined);
      if (stats !== undefined) dated.push({ name, at: stats.mtimeMs });
    }
    dated.sort((one, other) => other.at - one.at);
    return dated.slice(0, MAX_SNAPSHOTS).map(({ name }) => name);
  }

  private async textOf(name: string): Promise<string | undefined> {
    try {
      return await readWhole(join(this.directory, name));
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (PASSING.has(code)) throw error;
      // Where it is gone, another process has removed it meanwhile.
      if (code !== 'ENOENT') this.leaveAlone(name, error);
      return undefined;
    }
  }

  private async decode(name: string, text: string): Promise<BaselineSnapshot | undefined> {
    try {
      const snapshot = await decodeSnapshotInSlices(text);
      if (`${snapshot.instance}${EXTENSION}` !== name)
        throw new BaselineFault('its name is not its instance');
      return snapshot;
    } catch (error) {
      if (error instanceof BaselineFault && !(error instanceof NewerFormatFault)) {
        const path = join(this.directory, name);
        this.faults.fail(name, `The baseline ${path} is set aside as ${name}.corrupt: ${error.message}`);
        await setAside(this.directory, name).catch(() => {});
      } else this.leaveAlone(name, error);
      return undefined;
    }
  }

  private leaveAlone(name: string, error: unknown): void {
    this.faults.fail(name, `The baseline ${join(this.directory, name)} is left alone: ${reasonOf(error)}`);
  }
}
