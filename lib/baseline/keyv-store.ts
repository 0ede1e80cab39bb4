import { FaultLog } from '../async/fault-log.js';
import { reasonOf } from '../async/thrown.js';
import { BaselineFault, decodeSnapshotInSlices, encodeSnapshot } from './baseline-format.js';
import type { KeyValueStore } from './baseline-options.js';
import { type BaselineSnapshot, isInstanceId, type SnapshotToSave } from './baseline-snapshot.js';
import { type BaselineStore, MAX_LOADED, MAX_SNAPSHOTS } from './baseline-store.js';

const PREFIX = 'nestjs-performance:baseline';
const PROBE = `${PREFIX}:probe`;
/** The number of lists of instances. More of them conflict less often; fewer cost readers less. */
const SLOTS = 16;
/** How often an instance enters itself into its list if another one overwrites the entry. */
const ATTEMPTS = 3;

/** An entry of a list, and when its snapshot expires, in milliseconds since 1970. */
interface Listed {
  readonly instance: string;
  readonly until: number;
}

/**
 * Snapshots in a Keyv, or an object with its `get`, `set` and `delete`.
 *
 * Each instance writes its snapshot under a key of its own, so instances never overwrite each other's data. Readers find the
 * keys in 16 lists, chosen by a hash of the instance's id. Two instances that write to the same list at the same time may
 * overwrite each other's entry, so each checks its entry, enters it again, and renews it with each save. A lost entry hides
 * a snapshot from readers until the next save at most. `iterator` is not used, since it visits all other keys of the store.
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
      const instances = await this.instances(service);
      if (instances.size === 0) await this.probe();
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
      if (!isInstanceId(instance)) throw new RangeError('the instance is not a valid id');
      const kept = await this.store.set(keyOf(service, instance), await encodeSnapshot(snapshot), this.ttlMs);
      // Keyv returns false if its adapter failed.
      if (kept === false) throw new Error('the store rejected it');
      await this.enter(service, instance);
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

  private async instances(service: string): Promise<Set<string>> {
    const found: Listed[] = [];
    for (let slot = 0; slot < SLOTS; slot++)
      found.push(...listIn(await this.store.get(listKey(service, slot))));
    found.sort((one, other) => other.until - one.until);
    return new Set(found.slice(0, MAX_SNAPSHOTS).map(({ instance }) => instance));
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

  private async enter(service: string, instance: string): Promise<void> {
    const key = listKey(service, slotOf(instance));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const now = Date.now();
      const others = listIn(await this.store.get(key)).filter(
        (listed) => listed.until > now && listed.instance !== instance,
      );
      const list = [{ instance, until: now + this.ttlMs }, ...others].slice(0, MAX_SNAPSHOTS);
      await this.store.set(key, JSON.stringify(list), this.ttlMs);
      if (listIn(await this.store.get(key)).some((listed) => listed.instance === instance)) return;
    }
  }
}

function keyOf(service: string, instance: string): string {
  return `${PREFIX}:${encodeURIComponent(service)}:of:${instance}`;
}

function listKey(service: string, slot: number): string {
  return `${PREFIX}:${encodeURIComponent(service)}:list:${slot}`;
}

/** FNV-1a hash. */
function slotOf(instance: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < instance.length; at++) hash = Math.imul(hash ^ instance.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % SLOTS;
}

/** A damaged or foreign value counts as an empty list, which the instances fill again with their next save. */
function listIn(text: unknown): Listed[] {
  if (typeof text !== 'string') return [];
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter(isListed) : [];
  } catch {
    return [];
  }
}

function isListed(value: unknown): value is Listed {
  if (typeof value !== 'object' || value === null) return false;
  const { instance, until } = value as Partial<Listed>;
  return isInstanceId(instance) && typeof until === 'number';
}
