import { describe, expect, it } from '@jest/globals';
import { foldSlow } from '../../lib/dashboard/fold-slow.js';
import { slowGroups } from '../../lib/dashboard/page/slow-groups.js';
import type { CauseName } from '../../lib/explain/cause.js';

interface Given {
  parentSpanId?: string;
  root?: { name: string };
  durationMs?: number;
  traceId?: string;
  type?: string;
}

const slow = (id: string, name: string, given: Given = {}) => ({
  id,
  name,
  type: 'database',
  durationMs: 200,
  traceId: 'trace',
  ...given,
});
const request = slow('r', 'GET /albums', { type: 'http', durationMs: 900 });
const root = { name: 'GET /albums' };

describe('slow operations with what was slow within them', () => {
  it('are one entry for a request and its statements, whatever lies between them', () => {
    const folded = foldSlow([
      request,
      slow('a', 'SELECT track', { root, parentSpanId: 'method' }),
      slow('b', 'SELECT album', { root, parentSpanId: 'r', durationMs: 400 }),
      slow('c', 'SELECT track', { root, durationMs: 300 }),
    ]);
    expect(folded).toEqual([
      {
        ...request,
        within: [
          { type: 'database', name: 'SELECT album', count: 1, worstMs: 400 },
          { type: 'database', name: 'SELECT track', count: 2, worstMs: 300 },
        ],
      },
    ]);
  });

  it('include a request of this service that another one made', () => {
    const folded = foldSlow([
      request,
      slow('out', 'GET shop', { root, parentSpanId: 'r', type: 'external' }),
      slow('in', 'GET /prices', { parentSpanId: 'out', type: 'http' }),
      slow('s', 'SELECT price', { parentSpanId: 'in', root: { name: 'GET /prices' } }),
    ]);
    expect(folded.map(({ id, within }) => [id, within?.map(({ name }) => name)])).toEqual([
      ['r', ['GET shop', 'GET /prices', 'SELECT price']],
    ]);
  });

  it('stay apart from other traces, and are listed where the request itself was not slow', () => {
    const others = [
      request,
      slow('other', 'SELECT track', { root, traceId: 'another', parentSpanId: 'r' }),
      slow('quick', 'SELECT track', { root: { name: 'GET /quick' } }),
      slow('job', 'rebuild', { traceId: 'job' }),
    ];
    expect(foldSlow(others)).toEqual(others);
  });

  it('name up to five operations', () => {
    const parts = Array.from({ length: 9 }, (_, at) =>
      slow(`${at}`, `SELECT ${at}`, { root, durationMs: 100 + at }),
    );
    const [folded] = foldSlow([request, ...parts]);
    expect(folded?.within?.map(({ name }) => name)).toEqual(
      ['8', '7', '6', '5', '4'].map((table) => `SELECT ${table}`),
    );
  });

  it('are all listed if their parents form a circle', () => {
    const circle = [slow('a', 'a', { parentSpanId: 'b' }), slow('b', 'b', { parentSpanId: 'a' })];
    expect(foldSlow(circle).map(({ id }) => id)).toEqual(['a', 'b']);
  });
});

describe('groups of slow operations', () => {
  const one = (id: string, durationMs: number, cause: CauseName = 'database', error = false) => ({
    ...{ id, durationMs, cause, error, type: 'http', name: 'GET /albums', explanation: '' },
    ...{ timestamp: 0, thresholdMs: 100, slownessRatio: 2 },
  });

  it('have one operation, cause and outcome each, and know their longest execution', () => {
    const groups = slowGroups([one('a', 200), one('b', 900), one('c', 300, 'cpu'), one('d', 1, 'cpu', true)]);
    expect(groups.map(({ slow, worst }) => [slow.map(({ id }) => id).join(''), worst.id])).toEqual([
      ['ab', 'b'],
      ['c', 'c'],
      ['d', 'd'],
    ]);
  });
});
