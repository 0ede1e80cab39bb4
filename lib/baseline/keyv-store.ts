import { BaselineFault, decodeSnapshotInSlices, encodeSnapshot } from './baseline-format.js';
import type { KeyValueStore } from './baseline-options.js';
import { type BaselineSnapshot, isInstanceId, type SnapshotToSave } from './baseline-snapshot.js';
import { type BaselineStore, FaultLog, MAX_LOADED, MAX_SNAPSHOTS, reasonOf } from './baseline-store.js';

const PREFIX = 'nestjs-performance:baseline';
const PROBE = `${PREFIX}:probe`;
/** Lists of instances. Many, so that two seldom write the same one at once; few, as a reader asks for all. */
const SLOTS = 16;
/** How often a snapshot is entered into its list again when another instance has overwritten it. */
const ATTEMPTS = 3;

/** An instance in a list, and until when its snapshot is there, in milliseconds since 1970. */
interface Listed {
  readonly instance: string;
  readonly until: number;
}

/**
 * Snapshots in a Keyv, or in whatever has its `get`, `set` and `delete`.
 *
 * The promise: an instance writes its snapshot under a key of its own, which no other writes, so no snapshot is ever lost
 * to another. Readers find the keys by lists, of which there are 16, by a hash of the instance's name. Two that write to
 * the same list in the same moment may overwrite one another's entry: each looks whether its own is still there and
 * enters it again, and enters itself anew with each save. So an entry that was lost all the same hides a snapshot from
 * readers until the next save, and no longer. Not by `iterator`, which goes through all that others keep there.
 *
 * What is not saved again goes away with its time to live.
 */
export class KeyvBaselineStore implements BaselineStore {
  private readonly faults: FaultLog;

  /**
   * @param ttlMs after which what was not saved again is forgotten
   * @param maxLoaded characters that are read together; of more, those saved last
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
      this.faults.fail('load', `The baseline could not be read from its store: ${reasonOf(error)}`);
      return undefined;
    }
  }

  async save(snapshot: SnapshotToSave): Promise<boolean> {
    const { service, instance } = snapshot;
    try {
      if (!isInstanceId(instance)) throw new RangeError('instance is not an id');
      const kept = await this.store.set(keyOf(service, instance), await encodeSnapshot(snapshot), this.ttlMs);
      // What Keyv says where its adapter failed.
      if (kept === false) throw new Error('the store did not take it');
      await this.enter(service, instance);
      this.faults.succeed('save');
      return true;
    } catch (error) {
      this.faults.fail('save', `The baseline could not be saved in its store: ${reasonOf(error)}`);
      return false;
    }
  }

  /** Its entry in a list stays until it is over: a list is written by those that save. */
  async remove(service: string, instance: string): Promise<void> {
    try {
      await this.store.delete(keyOf(service, instance));
    } catch (error) {
      this.faults.fail('remove', `A baseline could not be removed from its store: ${reasonOf(error)}`);
    }
  }

  /** Keyv answers like an empty store where its adapter fails. @throws where it does not keep what it is given */
  private async probe(): Promise<void> {
    const kept = await this.store.set(PROBE, '1', this.ttlMs);
    if (kept === false || (await this.store.get(PROBE)) !== '1') throw new Error('it keeps nothing');
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
      if (typeof text !== 'string') throw new BaselineFault('it is no text');
      const snapshot = await decodeSnapshotInSlices(text);
      if (snapshot.instance !== instance || snapshot.service !== service)
        throw new BaselineFault('its key is not its own');
      return snapshot;
    } catch (error) {
      if (!(error instanceof BaselineFault)) throw error;
      this.faults.fail(instance, `The baseline of ${instance} in the store is left alone: ${error.message}`);
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

/** FNV-1a of the name. */
function slotOf(instance: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < instance.length; at++) hash = Math.imul(hash ^ instance.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % SLOTS;
}

/** What is no list, of another program or damaged, is an empty one: those that live enter themselves again. */
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
