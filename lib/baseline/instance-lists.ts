import { isInstanceKey } from '../operation/instance.js';
import type { KeyValueStore } from './baseline-options.js';

/** The number of lists of instances. More of them conflict less often; fewer cost readers less. */
const SLOTS = 16;
/** How often an instance enters itself into its list if another one overwrites the entry. */
const ATTEMPTS = 3;

/** An entry of a list, and when its value expires, in milliseconds since 1970. */
interface Listed {
  readonly instance: string;
  readonly until: number;
}

/**
 * The instances that have written to a store, in 16 lists chosen by a hash of the instance's key. Two instances that write to
 * the same list at the same time may overwrite each other's entry, so each checks its entry and enters it again. A lost
 * entry hides an instance from readers until it writes again. A Keyv's `iterator` is not used, since it visits all other
 * keys of the store.
 */
export class InstanceLists {
  /**
   * @param prefix of the keys of the lists
   * @param ttlMs the time to live of an entry
   * @param max the number of instances that are listed
   */
  constructor(
    private readonly store: KeyValueStore,
    private readonly prefix: string,
    private readonly ttlMs: number,
    private readonly max: number,
  ) {}

  /** The instances that have entered themselves, the latest first. @throws whatever the store throws */
  async instances(): Promise<string[]> {
    const now = Date.now();
    const lists = await Promise.all(
      Array.from({ length: SLOTS }, async (_, slot) => listIn(await this.store.get(this.keyOf(slot)))),
    );
    const found = lists.flat().filter(({ until }) => until > now);
    found.sort((one, other) => other.until - one.until);
    return [...new Set(found.map(({ instance }) => instance))].slice(0, this.max);
  }

  /**
   * Enters an instance, or renews its entry.
   * @param minRemainingMs an entry that lives for longer is not renewed. Absent: it is always renewed
   * @throws whatever the store throws
   */
  async enter(instance: string, minRemainingMs = Number.POSITIVE_INFINITY): Promise<void> {
    const key = this.keyOf(slotOf(instance));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const now = Date.now();
      const before = listIn(await this.store.get(key)).filter(({ until }) => until > now);
      const isEntered = before.some(
        (listed) => listed.instance === instance && (attempt > 0 || listed.until - now > minRemainingMs),
      );
      if (isEntered) return;
      const others = before.filter((listed) => listed.instance !== instance);
      const list = [{ instance, until: now + this.ttlMs }, ...others].slice(0, this.max);
      await this.store.set(key, JSON.stringify(list), this.ttlMs);
    }
  }

  private keyOf(slot: number): string {
    return `${this.prefix}:${slot}`;
  }
}

/** FNV-1a hash. */
function slotOf(instance: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < instance.length; at++) hash = Math.imul(hash ^ instance.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % SLOTS;
}

/** A damaged or foreign value counts as an empty list, which the instances fill again. */
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
  return isInstanceKey(instance) && typeof until === 'number';
}
