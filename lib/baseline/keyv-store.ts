import { FaultLog } from '../async/fault-log.js';
import { reasonOf } from '../async/thrown.js';
import { isInstanceKey } from '../operation/instance.js';
import { BaselineFault, decodeSnapshotInSlices, encodeSnapshot } from './baseline-format.js';
import type { KeyValueStore } from './baseline-options.js';
import type { BaselineSnapshot, SnapshotToSave } from './baseline-snapshot.js';
import { type BaselineStore, MAX_LOADED, MAX_SNAPSHOTS } from './baseline-store.js';
import { InstanceLists } from './instance-lists.js';

const PREFIX = 'nestjs-performance:baseline';
const PROBE = `${PREFIX}:probe`;
/**
 * Snapshots in a Keyv, or an object with its `get`, `set` and `delete`.
 *
 * Each instance writes its snapshot under a key of its own, so instances never overwrite each other's data. Readers find the
 * keys in {@link InstanceLists}.
 *
 * A snapshot that is not saved again expires with its time to live.
 */
export class KeyvBaselineStore implements BaselineStore {
  private readonly faults: FaultLog;

  /**
   * @param ttlMs the time to live of a snapshot
   * @param maxLoaded the number of characters that are read, of the snapshots saved last
   */
  constructor(
    private readonly store: KeyValueStore,
    private readonly ttlMs: number,
    warn: (message: string) => void,
    private readonly maxLoaded = MAX_LOADED,
  ) {
    this.faults = new FaultLog(warn);
  }

  async load(service: string): Promise<BaselineSnapshot[] | undefined> {
    try {
      const instances = await this.listsOf(service).instances();
      if (instances.length === 0) await this.probe();
      const snapshots: BaselineSnapshot[] = [];
      let loaded = 0;
      for (const instance of instances) {
        const text = await this.store.get(keyOf(service, instance));
        if (text === undefined || text === null) continue;
        loaded += typeof text === 'string' ? text.length : 0;
        if (loaded > this.maxLoaded) break;
        const snapshot = await this.decode(service, instance, text);
        if (snapshot !== undefined) snapshots.push(snapshot);
      }
      this.faults.succeed('load');
      return snapshots;
    } catch (error) {
      this.faults.fail('load', `Baselines could not be read from the store: ${reasonOf(error)}`);
      return undefined;
    }
  }

  async save(snapshot: SnapshotToSave): Promise<boolean> {
    const { service, instance } = snapshot;
    try {
      if (!isInstanceKey(instance)) throw new RangeError('the instance is not a valid id');
      const kept = await this.store.set(keyOf(service, instance), await encodeSnapshot(snapshot), this.ttlMs);
      // Keyv returns false if its adapter failed.
      if (kept === false) throw new Error('the store rejected it');
      await this.listsOf(service).enter(instance);
      this.faults.succeed('save');
      return true;
    } catch (error) {
      this.faults.fail('save', `The baseline could not be saved in the store: ${reasonOf(error)}`);
      return false;
    }
  }

  /** The list entry stays until it expires, since only saves write lists. */
  async remove(service: string, instance: string): Promise<void> {
    try {
      await this.store.delete(keyOf(service, instance));
    } catch (error) {
      this.faults.fail('remove', `A baseline could not be removed from the store: ${reasonOf(error)}`);
    }
  }

  /** Distinguishes an empty store from one whose adapter fails, which Keyv does not. @throws if it does not store a value */
  private async probe(): Promise<void> {
    const kept = await this.store.set(PROBE, '1', this.ttlMs);
    if (kept === false || (await this.store.get(PROBE)) !== '1') throw new Error('it stores nothing');
  }

  private listsOf(service: string): InstanceLists {
    return new InstanceLists(this.store, listPrefix(service), this.ttlMs, MAX_SNAPSHOTS);
  }

  private async decode(
    service: string,
    instance: string,
    text: unknown,
  ): Promise<BaselineSnapshot | undefined> {
    try {
      if (typeof text !== 'string') throw new BaselineFault('it is not text');
      const snapshot = await decodeSnapshotInSlices(text);
      if (snapshot.instance !== instance || snapshot.service !== service)
        throw new BaselineFault('its key belongs to another instance');
      return snapshot;
    } catch (error) {
      if (!(error instanceof BaselineFault)) throw error;
      this.faults.fail(instance, `The baseline of ${instance} in the store is ignored: ${error.message}`);
      return undefined;
    }
  }
}

function keyOf(service: string, instance: string): string {
  return `${PREFIX}:${encodeURIComponent(service)}:of:${instance}`;
}

function listPrefix(service: string): string {
  return `${PREFIX}:${encodeURIComponent(service)}:list`;
}
