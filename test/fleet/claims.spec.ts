import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import KeyvRedis from '@keyv/redis';
import Keyv from 'keyv';
import { DirectoryFleetStore } from '../../lib/fleet/directory-fleet-store.js';
import type { Claims } from '../../lib/fleet/fleet-store.js';
import { KeyvFleetStore } from '../../lib/fleet/keyv-fleet-store.js';
import { mapStore } from './simulated-instance.js';

const REDIS = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const MINUTE = 60_000;

let folder: string;
let run = 0;
let open: Keyv[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-claims-'));
});
beforeEach(() => {
  run++;
});
afterEach(async () => {
  for (const keyv of open) await keyv.disconnect();
  open = [];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const directory = (): string => join(folder, `${run}`);
function keyvOfRedis(): Keyv {
  const keyv = new Keyv(new KeyvRedis(REDIS), { namespace: `claims-${process.pid}-${run}` });
  // Without a listener, a Keyv throws.
  keyv.on('error', () => {});
  open.push(keyv);
  return keyv;
}
const shared = new Map<number, ReturnType<typeof mapStore>>();
function mapOfRun(): ReturnType<typeof mapStore> {
  const store = shared.get(run) ?? mapStore();
  shared.set(run, store);
  return store;
}

/** The claims of one more instance. */
const STORES: [string, () => Claims][] = [
  ['a directory', () => new DirectoryFleetStore(directory(), 'shop').claims],
  ['a Redis', () => new KeyvFleetStore(keyvOfRedis(), 'shop').claims],
  ['any other Keyv', () => new KeyvFleetStore(mapOfRun(), 'shop').claims],
];

async function redisAnswers(): Promise<boolean> {
  try {
    await keyvOfRedis().set('here', 'yes', 1000);
    return true;
  } catch {
    process.stderr.write('skipped: claims in a Redis, as none answers\n');
    return false;
  }
}

describe.each(STORES)('claims in %s', (kind, instance) => {
  const can = async (): Promise<boolean> => kind !== 'a Redis' || redisAnswers();

  it('are made by one of those that ask at the same time, and the others learn its value', async () => {
    if (!(await can())) return;
    const instances = Array.from({ length: 10 }, instance);
    const answers = await Promise.all(
      instances.map((claims, index) => claims.claim('a1', `i${index} alert-${index}`, MINUTE)),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^i\d alert-\d$/);
    expect(await instance().claim('a1', 'late alert', MINUTE)).toBe(answers[0]);
    expect(await instance().claim('a2', 'late alert', MINUTE)).toBe('late alert');
  });

  it('are ended by one of those that ask, and can be made again', async () => {
    if (!(await can())) return;
    const [one, other] = [instance(), instance()];
    await one.claim('a1', 'one x', MINUTE);
    const ended = [await one.release('a1'), await other.release('a1')];
    expect(ended).toEqual(['one x', undefined]);
    expect(await other.renew('a1', MINUTE)).toBeUndefined();
    expect(await other.claim('a1', 'other y', MINUTE)).toBe('other y');
    expect(await one.renew('a1', MINUTE)).toBe('other y');
  });

  it('leave those of another name alone', async () => {
    if (!(await can())) return;
    const claims = instance();
    await claims.claim('a1', 'one x', MINUTE);
    expect(await claims.release('a2')).toBeUndefined();
    expect(await claims.renew('a2', MINUTE)).toBeUndefined();
    expect(await claims.renew('a1', MINUTE)).toBe('one x');
  });
});

describe('claims in a Redis', () => {
  it('expire, unless they are renewed', async () => {
    if (!(await redisAnswers())) return;
    const claims = new KeyvFleetStore(keyvOfRedis(), 'shop').claims;
    await claims.claim('a1', 'one x', 50);
    await claims.claim('a2', 'one y', 50);
    await claims.renew('a2', MINUTE);
    await sleep(100);
    expect(await claims.claim('a1', 'other x', MINUTE)).toBe('other x');
    expect(await claims.claim('a2', 'other y', MINUTE)).toBe('one y');
  });
});

describe('claims in a directory', () => {
  const store = (): DirectoryFleetStore => new DirectoryFleetStore(directory(), 'shop');
  /** Lets the claims expire. */
  function expire(): void {
    const past = (Date.now() - MINUTE) / 1000;
    for (const name of readdirSync(directory())) utimesSync(join(directory(), name), past, past);
  }

  it('that have expired are made by one of those that ask at the same time', async () => {
    await store().claims.claim('a1', 'old x', MINUTE);
    expire();
    expect(await store().claims.renew('a1', MINUTE)).toBeUndefined();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => store().claims.claim('a1', `i${index} x`, MINUTE)),
    );
    const winners = answers.filter((answer, index) => answer === `i${index} x`);
    expect(winners).toHaveLength(1);
    // No file is left aside.
    expect(readdirSync(directory())).toHaveLength(1);
  });

  it('that have expired can still be ended, as their alert has been notified', async () => {
    await store().claims.claim('a1', 'old x', MINUTE);
    expire();
    expect(await store().claims.release('a1')).toBe('old x');
    expect(await store().claims.release('a1')).toBeUndefined();
  });

  it('that cannot be read are reported as such', async () => {
    await store().claims.claim('a1', 'one x', MINUTE);
    const [name = ''] = readdirSync(directory());
    writeFileSync(join(directory(), name), 'x'.repeat(100_000));
    expect(await store().claims.claim('a1', 'other x', MINUTE)).toBeNull();
  });
});
