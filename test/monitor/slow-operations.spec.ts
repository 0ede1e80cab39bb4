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
    expect(added).toEqual([operation('a')]);
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
});
