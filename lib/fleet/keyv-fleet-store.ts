import type { KeyValueStore } from '../baseline/baseline-options.js';
import { InstanceLists } from '../baseline/instance-lists.js';
import {
  type FleetStore,
  MAX_INSTANCES,
  type Published,
  RECORD_TTL_MS,
  SUMMARY_TTL_MS,
} from './fleet-store.js';

const PREFIX = 'nestjs-performance:fleet';
/** Instances that are listed: more than are read, as those that ended remain listed until their entry expires. */
const MAX_LISTED = 4 * MAX_INSTANCES;
/** Values that are read at a time. */
const AT_ONCE = 32;

/** Publishes in a Keyv, or an object with its `get`, `set` and `delete`. Each value has a time to live. */
export class KeyvFleetStore implements FleetStore {
  private readonly prefix: string;
  private readonly lists: InstanceLists;

  constructor(
    private readonly store: KeyValueStore,
    service: string,
  ) {
    this.prefix = `${PREFIX}:${encodeURIComponent(service)}`;
    this.lists = new InstanceLists(store, `${this.prefix}:list`, SUMMARY_TTL_MS, MAX_LISTED);
  }

  async publish(key: string, text: string): Promise<void> {
    await this.set(this.keyOf(key), text, SUMMARY_TTL_MS);
    await this.lists.enter(key, SUMMARY_TTL_MS / 2);
  }

  /** The entry in the list expires. */
  async withdraw(key: string): Promise<void> {
    await this.store.delete(this.keyOf(key));
  }

  async published(): Promise<Published> {
    const keys = await this.lists.instances();
    const summaries: { key: string; text: unknown }[] = [];
    let omitted = 0;
    for (let from = 0; from < keys.length; from += AT_ONCE) {
      const some = keys.slice(from, from + AT_ONCE);
      const texts = await Promise.all(some.map(async (key) => this.store.get(this.keyOf(key))));
      for (const [index, key] of some.entries()) {
        const text = texts[index];
        if (text === undefined || text === null) continue;
        if (summaries.length < MAX_INSTANCES) summaries.push({ key, text });
        else omitted++;
      }
    }
    return { summaries, omitted };
  }

  keep(id: string, text: string): Promise<void> {
    return this.set(this.recordKey(id), text, RECORD_TTL_MS);
  }

  async find(id: string): Promise<unknown> {
    return this.store.get(this.recordKey(id));
  }

  async drop(id: string): Promise<void> {
    await this.store.delete(this.recordKey(id));
  }

  private async set(key: string, text: string, ttlMs: number): Promise<void> {
    // Keyv returns false if its adapter failed.
    if ((await this.store.set(key, text, ttlMs)) === false) throw new Error('the store rejected it');
  }

  private keyOf(instance: string): string {
    return `${this.prefix}:of:${instance}`;
  }

  private recordKey(id: string): string {
    return `${this.prefix}:slow:${id}`;
  }
}
