import { describe, expect, it } from '@jest/globals';
import { type SlowFilter, slowMatcher } from '../../lib/explain/slow-filter.js';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';

const request: SlowOperation = {
  ...{ id: 'aaaaaaaaaaaaaaaa', spanId: 'aaaaaaaaaaaaaaaa', traceId: '0af7651916cd43dd8448eb211c80319c' },
  ...{ timestamp: 5000, type: 'http', name: 'GET /albums', durationMs: 400, thresholdMs: 100 },
  ...{ slownessRatio: 4, error: true, cause: 'n_plus_one', causeShare: 0.8, causes: [] },
  explanation: 'GET /albums took 400 ms: 12 sequential copies of SELECT track.',
  http: { statusCode: 503 },
};
const statement: SlowOperation = {
  ...request,
  ...{ id: 'bbbbbbbbbbbbbbbb', spanId: 'bbbbbbbbbbbbbbbb', type: 'database', name: 'SELECT album' },
  ...{ error: false, cause: 'database', root: { type: 'http', name: 'GET /albums' }, explanation: '' },
  statement: 'select * from Album where title = ?',
  http: undefined as never,
};

describe('the filter of slow operations', () => {
  it.each<[SlowFilter, boolean, boolean]>([
    [{}, true, true],
    [{ type: 'http' }, true, false],
    [{ name: 'GET /albums' }, true, true],
    [{ name: 'GET /album' }, false, false],
    [{ type: 'database', name: 'GET /albums' }, false, true],
    [{ cause: 'database' }, false, true],
    [{ status: 'failed' }, true, false],
    [{ status: 'succeeded' }, false, true],
    [{ status: '5xx' }, true, false],
    [{ status: '4xx' }, false, false],
    [{ minMs: 400 }, true, true],
    [{ minMs: 401 }, false, false],
    [{ since: 5000 }, true, true],
    [{ since: 5001 }, false, false],
    [{ until: 5000 }, true, true],
    [{ until: 4999 }, false, false],
    [{ since: 5000, until: 5000 }, true, true],
    [{ since: 1, until: 4000 }, false, false],
    [{ text: ' ALBUM WHERE ' }, false, true],
    [{ text: 'select track' }, true, false],
    [{ text: '0AF7651916CD43DD8448EB211C80319C' }, true, true],
    [{ text: 'bbbbbbbb' }, false, true],
    [{ text: 'toString' }, false, false],
  ])('%j', (filter, first, second) => {
    expect([request, statement].map(slowMatcher(filter))).toEqual([first, second]);
  });
});
