import { describe, expect, it } from '@jest/globals';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { SlowOperations } from '../../lib/monitor/slow-operations.js';

const operation = (id: string): SlowOperation => ({ id, explanation: 'first' }) as SlowOperation;

describe('the slow operations that are kept', () => {
  it('are replaced by an update, and never changed', async () => {
    const errors: unknown[] = [];
    const slow = new SlowOperations(2, (error) => errors.push(error));
    const added: SlowOperation[] = [];
    const updated: SlowOperation[] = [];
    slow.onAdded((one) => added.push(one));
    slow.onUpdated((one) => updated.push(one));
    slow.add(operation('a'));
    slow.updateLater('a', [
      undefined,
      Promise.resolve({ explanation: 'better' }),
      Promise.reject(new Error('no source map')),
    ]);
    await Promise.resolve();
    slow.close();
    // An event is delivered later, and has the description of that moment.
    expect(added).toEqual(updated);
    expect(updated).toEqual([{ id: 'a', explanation: 'better' }]);
    expect(slow.get('a')).toBe(updated[0]);
    expect(slow.list()).toEqual(updated);
    await Promise.resolve();
    expect(errors).toEqual([new Error('no source map')]);
  });

  it('are not updated once they are dropped', () => {
    const slow = new SlowOperations(2, () => {});
    const updated: SlowOperation[] = [];
    slow.onUpdated((one) => updated.push(one));
    for (const id of ['a', 'b', 'c']) slow.add(operation(id));
    slow.update('a', { explanation: 'too late' });
    slow.update('c', { explanation: 'better' });
    slow.close();
    expect(slow.list().map(({ id, explanation }) => [id, explanation])).toEqual([
      ['c', 'better'],
      ['b', 'first'],
    ]);
    expect(updated.map(({ id }) => id)).toEqual(['c']);
  });

  it('are all listed if a span was checked twice, and found by the last check', () => {
    const slow = new SlowOperations(2, () => {});
    for (const explanation of ['first', 'second'])
      slow.add({ ...operation('a'), explanation } as SlowOperation);
    expect(slow.list().map(({ explanation }) => explanation)).toEqual(['second', 'first']);
    expect(slow.get('a')?.explanation).toBe('second');
    slow.add(operation('b'));
    expect(slow.get('a')?.explanation).toBe('second');
    slow.add(operation('c'));
    expect(slow.get('a')).toBeUndefined();
  });
});

describe('the room for slow operations', () => {
  const add = (slow: SlowOperations, type: string, name: string, count: number): void => {
    for (let i = 0; i < count; i++) slow.add({ id: `${name}-${i}`, type, name } as SlowOperation);
  };
  const names = (slow: SlowOperations): string[] => [...new Set(slow.list().map(({ name }) => name))].sort();

  it('is kept for each type, however many there are of another', () => {
    const slow = new SlowOperations(20, () => {});
    add(slow, 'http', 'GET /albums', 2);
    add(slow, 'connection_pool', 'postgresql pool', 500);
    add(slow, 'database', 'SELECT track', 3);
    add(slow, 'connection_pool', 'postgresql pool', 500);
    expect(names(slow)).toEqual(['GET /albums', 'SELECT track', 'postgresql pool']);
    expect(slow.list()).toHaveLength(20);
    expect(slow.list(100, { type: 'http' }).map(({ id }) => id)).toEqual(['GET /albums-1', 'GET /albums-0']);
  });

  it('is kept for each route of a type', () => {
    const slow = new SlowOperations(10, () => {});
    add(slow, 'http', 'GET /rare', 1);
    add(slow, 'http', 'GET /frequent', 100);
    expect(names(slow)).toEqual(['GET /frequent', 'GET /rare']);
  });

  it('goes to the newest of one operation, and of operations that were slow once each', () => {
    const slow = new SlowOperations(3, () => {});
    add(slow, 'http', 'GET /a', 5);
    expect(slow.list().map(({ id }) => id)).toEqual(['GET /a-4', 'GET /a-3', 'GET /a-2']);
    for (let i = 0; i < 10; i++) add(slow, 'http', `GET /${i}`, 1);
    expect(slow.list().map(({ name }) => name)).toEqual(['GET /9', 'GET /8', 'GET /7']);
  });
});
