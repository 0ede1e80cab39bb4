import { describe, expect, it } from '@jest/globals';
import { SlowQueries } from '../../lib/explain/slow-queries.js';
import { StackRequests } from '../../lib/spans/stack-requests.js';
import type { WorkKey } from '../../lib/spans/work-group.js';

const key = (fingerprint: string): WorkKey => ({ fingerprint, name: 'SELECT track', effect: 'read' });
const list = (queries: SlowQueries, all = false) =>
  queries.list({
    limit: 100,
    all,
    locate: (query) =>
      query === 'known' ? { function: 'f', file: `${query}.ts`, line: 1, column: 1 } : undefined,
  });

describe('SlowQueries', () => {
  it('has count, percentiles, rows and routes of each statement', () => {
    const queries = new SlowQueries(10);
    for (let ms = 1; ms <= 100; ms++)
      queries.record(
        key('q'),
        ms,
        ms > 90,
        ms === 1,
        ms % 2 === 0 ? 10 : undefined,
        ms > 30 ? 'GET /a' : 'GET /b',
      );
    const [query] = list(queries);
    expect(query).toMatchObject({
      fingerprint: 'q',
      operation: 'SELECT',
      table: 'track',
      count: 100,
      slowCount: 10,
      errorCount: 1,
      totalMs: 5050,
      avgMs: 50.5,
      maxMs: 100,
      avgRows: 10,
      routes: [
        { name: 'GET /a', count: 70 },
        { name: 'GET /b', count: 30 },
      ],
    });
    expect(Math.abs((query?.p50Ms ?? 0) - 50)).toBeLessThanOrEqual(1);
    expect(Math.abs((query?.p95Ms ?? 0) - 95)).toBeLessThanOrEqual(2);
  });

  it('lists only slow statements by default', () => {
    const queries = new SlowQueries(10);
    queries.record(key('quick'), 1, false, false, undefined, undefined);
    queries.record(key('slow'), 900, true, false, undefined, undefined);
    expect(list(queries).map(({ fingerprint }) => fingerprint)).toEqual(['slow']);
    expect(list(queries, true)).toHaveLength(2);
    expect(list(queries, true)[1]).not.toHaveProperty('avgRows');
  });

  it('limits statements, and the routes of each', () => {
    const queries = new SlowQueries(5);
    for (let n = 0; n < 1000; n++) queries.record(key(`q${n}`), 1, true, false, undefined, 'r');
    expect(list(queries)).toHaveLength(5);
    expect(queries.dropped).toBe(995);
    for (let n = 0; n < 1000; n++) queries.record(key('q0'), 1, true, false, undefined, `route ${n}`);
    expect(list(queries).find(({ fingerprint }) => fingerprint === 'q0')?.routes).toHaveLength(10);
    queries.clear();
    expect(list(queries, true)).toEqual([]);
    expect(queries.dropped).toBe(0);
  });

  it('has the call site of a statement if it is known', () => {
    const queries = new SlowQueries(5);
    for (const name of ['known', 'unknown'])
      queries.record(key(name), 900, true, false, undefined, undefined);
    const callSites = list(queries).map(({ fingerprint, callSite }) => [fingerprint, callSite?.file]);
    expect(Object.fromEntries(callSites)).toEqual({ known: 'known.ts', unknown: undefined });
  });
});

describe('StackRequests', () => {
  const frames = [{ functionName: 'f', url: '/a.js', line: 3, column: 1 }];

  it('wants a requested stack once, from the route that requested it', () => {
    const stacks = new StackRequests();
    expect(stacks.isWanted('q', 'GET /a')).toBe(false);
    expect(stacks.find('q', 'GET /a')).toBeUndefined();
    expect(stacks.isWanted('q', 'GET /a')).toBe(true);
    expect(stacks.isWanted('q', 'GET /b')).toBe(false);
    stacks.keep('q', 'GET /a', frames);
    expect(stacks.isWanted('q', 'GET /a')).toBe(false);
    expect(stacks.find('q', 'GET /a')).toBe(frames);
    expect(stacks.find('q', 'GET /b')).toBeUndefined();
    expect(stacks.any('q')).toBe(frames);
    stacks.keep('never asked for', 'GET /a', frames);
    expect(stacks.any('never asked for')).toBeUndefined();
  });

  it('wants the stack at the pool after one without user code, and gives up after three', () => {
    const stacks = new StackRequests();
    stacks.ask('q', 'r');
    expect(stacks.hasEmpty('r')).toBe(false);
    stacks.keep('q', 'r', []);
    expect(stacks.hasEmpty('r')).toBe(true);
    // Other routes are not affected.
    expect(stacks.hasEmpty('another')).toBe(false);
    expect(stacks.isWanted('q', 'r')).toBe(true);
    stacks.keep('q', 'r', frames);
    expect(stacks.hasEmpty('r')).toBe(false);
    stacks.ask('p', 'r');
    for (let count = 0; count < 3; count++) stacks.keep('p', 'r', []);
    expect(stacks.isWanted('p', 'r')).toBe(false);
    expect(stacks.hasEmpty('r')).toBe(false);
  });

  it('counts an empty stack that was captured before it was asked for, once', () => {
    const stacks = new StackRequests();
    stacks.markEmpty('q', 'r');
    expect(stacks.hasEmpty('r')).toBe(false);
    stacks.ask('q', 'r');
    for (let count = 0; count < 5; count++) stacks.markEmpty('q', 'r');
    expect(stacks.hasEmpty('r')).toBe(true);
    expect(stacks.isWanted('q', 'r')).toBe(true);
  });

  it('keeps frames of a package only after the last try', () => {
    const stacks = new StackRequests();
    const inPackage = [{ functionName: 'a', url: '/srv/node_modules/shop/a.js', line: 1, column: 1 }];
    stacks.ask('q', 'r');
    for (let count = 0; count < 2; count++) stacks.keep('q', 'r', inPackage);
    expect(stacks.find('q', 'r')).toBeUndefined();
    stacks.keep('q', 'r', inPackage);
    expect(stacks.find('q', 'r')).toBe(inPackage);
    expect(stacks.isWanted('q', 'r')).toBe(false);
  });

  it('drops the oldest request beyond its limit', () => {
    const stacks = new StackRequests();
    stacks.ask('q0', 'r');
    stacks.keep('q0', 'r', []);
    for (let n = 0; n < 1000; n++) stacks.ask(`q${n}`, 'r');
    expect(stacks.isWanted('q799', 'r')).toBe(false);
    expect(stacks.isWanted('q800', 'r')).toBe(true);
    expect(stacks.isWanted('q999', 'r')).toBe(true);
    expect(stacks.hasEmpty('r')).toBe(false);
    for (let n = 0; n < 1000; n++) stacks.ask('q999', `route ${n}`);
    expect(stacks.isWanted('q999', 'route 8')).toBe(true);
    expect(stacks.isWanted('q999', 'route 9')).toBe(false);
  });
});
