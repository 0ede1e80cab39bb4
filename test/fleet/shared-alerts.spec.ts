import { describe, expect, it, jest } from '@jest/globals';
import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import { sharedName } from '../../lib/alerting/alert-sharing.js';
import type { KeyValueStore } from '../../lib/baseline/baseline-options.js';
import { KeyvFleetStore } from '../../lib/fleet/keyv-fleet-store.js';
import { SharedAlerts } from '../../lib/fleet/shared-alerts.js';
import { alertOf, notificationOf } from '../alerting/alerts.js';
import { mapStore } from './simulated-instance.js';

const MINUTE = 60_000;

interface Sharing {
  readonly alerts: SharedAlerts;
  readonly takenOver: PerformanceAlert[];
  /** The ids of those of which the instance notifies. */
  admitted(alerts: PerformanceAlert[], repeatIntervalMs?: number): Promise<string[]>;
}

function sharing(name: string, store: KeyValueStore): Sharing {
  const alerts = new SharedAlerts(new KeyvFleetStore(store, 'shop'), { key: `${name}-1-0123456789ab` }, 5000);
  const takenOver: PerformanceAlert[] = [];
  alerts.onTakenOver = (alert) => takenOver.push(alert);
  return {
    alerts,
    takenOver,
    admitted: async (some, repeatIntervalMs) =>
      (await alerts.admitted(notificationOf(some), repeatIntervalMs)).map(({ id }) => id),
  };
}
const firing = (id: string, over: Partial<PerformanceAlert> = {}): PerformanceAlert =>
  alertOf({ id, ...over });
const resolved = (id: string, over: Partial<PerformanceAlert> = {}): PerformanceAlert =>
  alertOf({ id, state: 'resolved', ...over });
const keysIn = (store: ReturnType<typeof mapStore>, kind: string): string[] =>
  [...store.values.keys()].filter((key) => key.includes(`:${kind}:`));

describe('the name of a shared alert', () => {
  it('is the same for the same rule, subject and labels, whatever else changes', () => {
    const one = alertOf({ rule: 'leak', labels: { memory: 'heap', team: 'shop', leak_state: 'suspect' } });
    const other = alertOf({
      ...{ rule: 'leak', id: 'other', value: 1, severity: 'critical', summary: 'x' },
      labels: { team: 'shop', memory: 'heap', leak_state: 'confirmed' },
    });
    expect(sharedName(one)).toBe(sharedName(other));
    expect(sharedName(one)).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['rule', { rule: 'latency' }],
    ['subject', { subject: 'GET /albums' }],
    ['labels', { labels: { operation: 'GET /orders', instance: 'one' } }],
  ])('differs by its %s', (_, over) => {
    expect(sharedName(alertOf(over))).not.toBe(sharedName(alertOf()));
  });
});

describe('alerts that instances share', () => {
  it('have the id of the first notification until they are resolved', async () => {
    const store = mapStore();
    const [one, two] = [sharing('one', store), sharing('two', store)];
    expect(await one.admitted([firing('a')])).toEqual(['a']);
    expect(await two.admitted([firing('b')])).toEqual([]);
    expect(await one.admitted([resolved('a')])).toEqual([]);
    expect(await two.admitted([resolved('b')])).toEqual(['a']);
    expect(await one.admitted([firing('c')])).toEqual(['c']);
  });

  it('are told apart by their subject, within one notification', async () => {
    const store = mapStore();
    const [one, two] = [sharing('one', store), sharing('two', store)];
    await one.admitted([firing('a')]);
    const own = firing('c', { subject: 'GET /albums' });
    expect(await two.admitted([firing('b'), own])).toEqual(['c']);
  });

  it('of the same name on one instance are one alert', async () => {
    const one = sharing('one', mapStore());
    expect(await one.admitted([firing('a')])).toEqual(['a']);
    expect(await one.admitted([firing('b')])).toEqual([]);
    expect(await one.admitted([resolved('a')])).toEqual([]);
    expect(await one.admitted([resolved('b')])).toEqual(['a']);
  });

  it('are repeated by one instance', async () => {
    const store = mapStore();
    const [one, two] = [sharing('one', store), sharing('two', store)];
    await one.admitted([firing('a')], MINUTE);
    await two.admitted([firing('b')], MINUTE);
    expect(await two.admitted([firing('b')], MINUTE)).toEqual(['a']);
    expect(await one.admitted([firing('a')], MINUTE)).toEqual([]);
  });

  it('are repeated and resolved by an instance that starts after all others were killed', async () => {
    const store = mapStore();
    await sharing('one', store).admitted([firing('a')]);
    for (const key of keysIn(store, 'alerts')) store.values.delete(key);
    const two = sharing('two', store);
    expect(await two.admitted([firing('b')], MINUTE)).toEqual([]);
    expect(await two.admitted([firing('b')], MINUTE)).toEqual(['a']);
    expect(await two.admitted([resolved('b')])).toEqual(['a']);
  });

  it('are not known to an instance that starts without them after all others were killed', async () => {
    const store = mapStore();
    await sharing('one', store).admitted([firing('a')]);
    for (const key of keysIn(store, 'alerts')) store.values.delete(key);
    const two = sharing('two', store);
    for (let beat = 0; beat < 20; beat++) await two.alerts.beat();
    expect(two.takenOver).toEqual([]);
  });

  it('are notified again if the store has lost them, or another instance took this one for lost', async () => {
    const store = mapStore();
    const [one, two] = [sharing('one', store), sharing('two', store)];
    await one.admitted([firing('a')]);
    await two.admitted([firing('b')]);
    await one.alerts.beat();
    await two.alerts.beat();
    expect([one.takenOver, two.takenOver]).toEqual([[], []]);
    // As if it had blocked for a minute: its list has expired.
    for (const key of keysIn(store, 'alerts')) if (key.includes('one-1')) store.values.delete(key);
    expect(await two.admitted([resolved('b')])).toEqual(['a']);
    await one.alerts.beat();
    expect(one.takenOver.map(({ id, state }) => [id, state])).toEqual([['a', 'firing']]);
    await one.alerts.beat();
    expect(one.takenOver).toHaveLength(1);
    expect(await one.admitted([resolved('a')])).toEqual(['a']);
  });

  it('that are resolved here are watched until the last instance that has them is lost', async () => {
    const store = mapStore();
    const [one, two] = [sharing('one', store), sharing('two', store)];
    await one.admitted([firing('a')]);
    await two.admitted([firing('b')]);
    expect(await two.admitted([resolved('b')])).toEqual([]);
    for (let beat = 0; beat < 8; beat++) await two.alerts.beat();
    expect(two.takenOver).toEqual([]);
    await one.alerts.withdraw();
    for (let beat = 0; beat < 4; beat++) await two.alerts.beat();
    expect(two.takenOver.map(({ id, state }) => [id, state])).toEqual([['a', 'resolved']]);
    for (let beat = 0; beat < 4; beat++) await two.alerts.beat();
    expect(two.takenOver).toHaveLength(1);
  });

  it('cost the store nothing while nothing fires', async () => {
    const store = mapStore();
    const get = jest.spyOn(store, 'get');
    const set = jest.spyOn(store, 'set');
    const { alerts } = sharing('one', store);
    for (let beat = 0; beat < 8; beat++) await alerts.beat();
    await alerts.withdraw();
    expect(get).not.toHaveBeenCalled();
    expect(set).not.toHaveBeenCalled();
  });

  it('are bounded: beyond, each instance notifies of its own', async () => {
    const store = mapStore();
    const [one, two] = [sharing('one', store), sharing('two', store)];
    const all = Array.from({ length: 1001 }, (_, index) => firing(`a${index}`, { subject: `GET /${index}` }));
    expect(await one.admitted(all)).toHaveLength(1001);
    expect(await two.admitted(all)).toEqual(['a1000']);
    expect(await two.admitted([resolved('a1000', { subject: 'GET /1000' })])).toEqual(['a1000']);
  });
});

describe('a store that fails', () => {
  const failing = (): KeyValueStore => {
    const fails = (): Promise<never> => Promise.reject(new Error('connection refused'));
    return { get: fails, set: fails, delete: fails };
  };

  it('lets each instance notify of what fires and of what is resolved', async () => {
    const { admitted, alerts } = sharing('one', failing());
    expect(await admitted([firing('a')])).toEqual(['a']);
    await alerts.beat();
    expect(await admitted([resolved('a')])).toEqual(['a']);
  });

  it('for a while notifies of nothing twice once it is there again', async () => {
    const store = mapStore();
    const { set } = store;
    store.set = () => Promise.reject(new Error('connection refused'));
    const [one, two] = [sharing('one', store), sharing('two', store)];
    expect(await one.admitted([firing('a')])).toEqual(['a']);
    expect(await two.admitted([firing('b')])).toEqual(['b']);
    store.set = set;
    await one.alerts.beat();
    await two.alerts.beat();
    expect([one.takenOver, two.takenOver]).toEqual([[], []]);
    expect(await one.admitted([resolved('a')])).toEqual([]);
    expect(await two.admitted([resolved('b')])).toEqual(['a']);
  });

  it('that never answers is waited for two seconds', async () => {
    const never = (): Promise<never> => new Promise(() => {});
    const { admitted } = sharing('one', { get: never, set: never, delete: never });
    expect(await admitted([firing('a')])).toEqual(['a']);
  });
});

describe('what others have written', () => {
  it.each([
    ['is no text', 5],
    ['is too long', 'a,'.repeat(40_000)],
    ['is an object', { alerts: ['a'] }],
  ])('as a list that %s is no alert', async (_, value) => {
    const store = mapStore();
    const [one, two] = [sharing('one', store), sharing('two', store)];
    await one.admitted([firing('a')]);
    await two.admitted([firing('b')]);
    for (const key of keysIn(store, 'alerts')) if (key.includes('one-1')) store.values.set(key, value);
    expect(await two.admitted([resolved('b')])).toEqual(['a']);
  });

  it.each([
    ['is no text', 5, ['a']],
    ['has no id', 'nonsense with <b>markup</b>', []],
  ])('as a claim that %s gives no id', async (_, value, expected) => {
    const store = mapStore();
    const one = sharing('one', store);
    await store.set(`nestjs-performance:fleet:shop:claim:${sharedName(firing('a'))}`, value);
    expect(await one.admitted([firing('a')])).toEqual(expected);
    expect(await one.admitted([resolved('a')])).toEqual(['a']);
  });
});
