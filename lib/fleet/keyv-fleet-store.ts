import type { KeyValueStore } from '../baseline/baseline-options.js';
import { InstanceLists } from '../baseline/instance-lists.js';
import {
  type Claims,
  type FleetStore,
  MAX_INSTANCES,
  type ProfileTexts,
  type Published,
  RECORD_TTL_MS,
  SUMMARY_TTL_MS,
} from './fleet-store.js';
import { claimsIn } from './keyv-claims.js';

const PREFIX = 'nestjs-performance:fleet';
/** Instances that are listed: more than are read, as those that ended remain listed until their entry expires. */
const MAX_LISTED = 4 * MAX_INSTANCES;
/** Values that are read at a time. */
const AT_ONCE = 32;

/** Publishes in a Keyv, or an object with its `get`, `set` and `delete`. Each value has a time to live. */
export class KeyvFleetStore implements FleetStore {
  readonly claims: Claims;
  readonly profiles: ProfileTexts = {
    keep: (id, text) => this.set(this.profileKey(id), text, RECORD_TTL_MS),
    find: async (id) => this.store.get(this.profileKey(id)),
    drop: async (id) => void (await this.store.delete(this.profileKey(id))),
  };
  private readonly prefix: string;
  private readonly lists: InstanceLists;

  constructor(
    private readonly store: KeyValueStore,
    service: string,
  ) {
    this.prefix = `${PREFIX}:${encodeURIComponent(service)}`;
    this.lists = new InstanceLists(store, `${this.prefix}:list`, SUMMARY_TTL_MS, MAX_LISTED);
    this.claims = claimsIn(store, `${this.prefix}:claim:`);
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
    const summaries = await this.ofAll((key) => this.keyOf(key));
    const omitted = Math.max(0, summaries.length - MAX_INSTANCES);
    return { summaries: summaries.slice(0, MAX_INSTANCES), omitted };
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

  async announce(key: string, text: string, ttlMs: number): Promise<void> {
    await this.set(this.announcedKey(key), text, ttlMs);
    await this.lists.enter(key, SUMMARY_TTL_MS / 2);
  }

  async withdrawAnnounced(key: string): Promise<void> {
    await this.store.delete(this.announcedKey(key));
  }

  async announcedBy(key: string): Promise<unknown> {
    return (await this.store.get(this.announcedKey(key))) ?? undefined;
  }

  announced(): Promise<{ key: string; text: unknown }[]> {
    return this.ofAll((key) => this.announcedKey(key));
  }

  /** The values of all listed instances that have one. */
  private async ofAll(keyOf: (instance: string) => string): Promise<{ key: string; text: unknown }[]> {
    const keys = await this.lists.instances();
    const found: { key: string; text: unknown }[] = [];
    for (let from = 0; from < keys.length; from += AT_ONCE) {
      const some = keys.slice(from, from + AT_ONCE);
      const texts = await Promise.all(some.map(async (key) => this.store.get(keyOf(key))));
      for (const [index, key] of some.entries()) {
        const text = texts[index];
        if (text !== undefined && text !== null) found.push({ key, text });
      }
    }
    return found;
  }

  private async set(key: string, text: string, ttlMs: number): Promise<void> {
    // Keyv returns false if its adapter failed.
    if ((await this.store.set(key, text, ttlMs)) === false) throw new Error('the store rejected it');
  }

  private keyOf(instance: string): string {
    return `${this.prefix}:of:${instance}`;
  }

  private announcedKey(instance: string): string {
    return `${this.prefix}:alerts:${instance}`;
  }

  private profileKey(id: string): string {
    return `${this.prefix}:profile:${id}`;
  }

  private recordKey(id: string): string {
    return `${this.prefix}:slow:${id}`;
  }
}
