import { setTimeout as pause } from 'node:timers/promises';
import type { KeyValueStore } from '../baseline/baseline-options.js';
import type { Claims } from './fleet-store.js';

/** After it, an instance that wrote at the same time has written, too. */
const SETTLE_MS = 250;

/** The client of a Redis, as `@keyv/redis` has it. */
interface RedisClient {
  get(key: string): Promise<unknown>;
  set(key: string, value: string, options: { NX: true; PX: number }): Promise<unknown>;
  pExpire(key: string, ms: number): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

/** The public part of `@keyv/redis` and of adapters that are made like it. */
interface RedisAdapter {
  readonly namespace?: string;
  getClient(): Promise<RedisClient>;
  createKeyPrefix(key: string, namespace?: string): string;
}

/** Exact with the Redis client of `@keyv/redis`. Other stores have no set-if-absent: with them, the best that is possible. */
export function claimsIn(store: KeyValueStore, prefix: string): Claims {
  const { store: adapter } = store as { store?: unknown };
  for (const each of [adapter, store] as unknown[])
    if (isRedisAdapter(each)) return new RedisClaims(each, prefix);
  return new WrittenClaims(store, prefix);
}

/** Claims by `SET NX`. */
class RedisClaims implements Claims {
  constructor(
    private readonly adapter: RedisAdapter,
    private readonly prefix: string,
  ) {}

  async claim(name: string, value: string, ttlMs: number): Promise<unknown> {
    const client = await this.adapter.getClient();
    const key = this.keyOf(name);
    const options = { NX: true, PX: Math.ceil(ttlMs) } as const;
    if ((await client.set(key, value, options)) !== null) return value;
    return (await client.get(key)) ?? undefined;
  }

  async renew(name: string, ttlMs: number): Promise<unknown> {
    const client = await this.adapter.getClient();
    const key = this.keyOf(name);
    const value = await client.get(key);
    if (value === null) return undefined;
    await client.pExpire(key, Math.ceil(ttlMs));
    return value;
  }

  async release(name: string): Promise<unknown> {
    const client = await this.adapter.getClient();
    const key = this.keyOf(name);
    const value = await client.get(key);
    return Number(await client.del(key)) > 0 ? value : undefined;
  }

  private keyOf(name: string): string {
    return this.adapter.createKeyPrefix(`${this.prefix}${name}`, this.adapter.namespace);
  }
}

/**
 * Claims by writing and, a moment later, reading what is there: of those that write within this moment, the last one has the
 * claim. One that is delayed for longer between its reading and its writing makes a second one.
 */
class WrittenClaims implements Claims {
  constructor(
    private readonly store: KeyValueStore,
    private readonly prefix: string,
  ) {}

  async claim(name: string, value: string, ttlMs: number): Promise<unknown> {
    const key = this.keyOf(name);
    const present = await this.get(key);
    if (present !== undefined) return present;
    await this.set(key, value, ttlMs);
    await pause(SETTLE_MS, undefined, { ref: false });
    return this.get(key);
  }

  async renew(name: string, ttlMs: number): Promise<unknown> {
    const key = this.keyOf(name);
    const value = await this.get(key);
    if (value !== undefined) await this.set(key, value, ttlMs);
    return value;
  }

  async release(name: string): Promise<unknown> {
    const key = this.keyOf(name);
    const value = await this.get(key);
    if (value === undefined) return undefined;
    // A Keyv says false if there was nothing to delete. Others may say nothing.
    return (await this.store.delete(key)) === false ? undefined : value;
  }

  private async get(key: string): Promise<unknown> {
    return (await this.store.get(key)) ?? undefined;
  }

  private async set(key: string, value: unknown, ttlMs: number): Promise<void> {
    if ((await this.store.set(key, value, ttlMs)) === false) throw new Error('the store rejected it');
  }

  private keyOf(name: string): string {
    return `${this.prefix}${name}`;
  }
}

function isRedisAdapter(value: unknown): value is RedisAdapter {
  const { getClient, createKeyPrefix } = Object(value) as Partial<RedisAdapter>;
  return typeof getClient === 'function' && typeof createKeyPrefix === 'function';
}
