import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { ErrorGroups, MAX_GROUPS } from '../../lib/explain/error-groups.js';
import type { Observation } from '../../lib/explain/finding.js';
import type { FailedOperation } from '../../lib/spans/failed-operation.js';

const NOWHERE = { prepare: async () => {}, locate: () => undefined, lines: async () => [] };

function failure(name: string): FailedOperation {
  const unknown = { statusCode: undefined, recorded: undefined, traceId: '', spanId: '' };
  return { type: 'http', name, durationMs: 1, thrown: new Error('boom'), ...unknown };
}

function groups(): { groups: ErrorGroups; observed: Observation[]; add(name: string): void } {
  const observed: Observation[] = [];
  const onError = (error: unknown): void => {
    throw error;
  };
  const created = new ErrorGroups(NOWHERE, (observation) => observed.push(observation), onError);
  const add = (name: string): void =>
    created.add(failure(name), { route: name, isHandled: false, isServed: true, chain: [{}] }, 0);
  return { groups: created, observed, add };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Groups of errors', () => {
  it('count the errors of groups that are dropped for others', async () => {
    const { groups: kept, add } = groups();
    for (let i = 0; i < 3; i++) add('GET /first');
    for (let i = 1; i < MAX_GROUPS; i++) add(`GET /${i}`);
    expect(kept.dropped).toBe(0);
    add('GET /other');
    expect(kept.dropped).toBe(3);
    kept.clear();
    expect(kept.dropped).toBe(0);
  });

  it.each<[unknown, string]>([
    [{ status: 'error', message: 'Internal server error' }, 'object: Internal server error.'],
    [{ code: 7 }, 'object.'],
    [Object.assign(Object.create(null), { message: 'not found' }), 'object: not found.'],
    [{ message: { text: 'not found' } }, 'object.'],
    ['no matching handler in the remote service.', 'string: no matching handler in the remote service.'],
    [new RangeError('the index is out of range...'), 'RangeError: the index is out of range.'],
    [
      runInNewContext(`new RangeError('the index is out of range')`),
      'RangeError: the index is out of range.',
    ],
  ])('say what was thrown, whatever it is: %j', async (thrown, expected) => {
    const { groups: kept, observed } = groups();
    const failed = { ...failure('GET /a'), thrown };
    kept.add(failed, { route: 'GET /a', isHandled: false, isServed: true, chain: [{}] }, 0);
    await settled();
    expect(observed[0]?.explanation).toBe(`GET /a failed: ${expected}`);
  });

  it('count the errors that cannot wait until the line is known', async () => {
    const { groups: kept, observed, add } = groups();
    for (let i = 0; i < 700; i++) add('GET /flood');
    await settled();
    expect(observed.length + kept.dropped).toBe(700);
    expect(kept.dropped).toBeGreaterThan(0);
    add('GET /flood');
    expect(observed.length + kept.dropped).toBe(701);
  });
});
