import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatServerTiming, parseServerTiming } from '../../lib/spans/server-timing.js';
import { DATABASE, emptyBreakdown, SELF_BUSY, SELF_IDLE } from '../../lib/spans/work.js';

const partsOf = (entries: Record<number, number>): number[] => Object.assign(emptyBreakdown(), entries);

describe('a Server-Timing header', () => {
  it('names the whole, then the parts, the greatest first', () => {
    const parts = partsOf({ [DATABASE]: 700.04, [SELF_BUSY]: 12, [SELF_IDLE]: 100 });
    expect(
      formatServerTiming(812.34, parts, (part) => (part === DATABASE ? 'SELECT track x 50' : undefined)),
    ).toBe(
      'total;dur=812.3, database;dur=700.0;desc="SELECT track x 50", waiting;dur=100.0;desc="not instrumented", event_loop;dur=12.0;desc="event loop busy"',
    );
  });

  it('leaves out what took no time, and quotes what a header cannot hold', () => {
    expect(formatServerTiming(2, partsOf({ [DATABASE]: 1, [SELF_BUSY]: 0.05 }), () => 'a "\\ü\n')).toBe(
      'total;dur=2.0, database;dur=1.0;desc="a \'\'??"',
    );
  });

  it('is read back, for any parts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.2, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('SELECT track', 'GET api.example.com/users/{} x 3', undefined),
        (times, operation) => {
          const total = times.reduce((sum, ms) => sum + ms, 0);
          const read = parseServerTiming(formatServerTiming(total, partsOf(times as never), () => operation));
          expect(read?.totalMs).toBeCloseTo(total, 0);
          expect(read?.causeMs).toBeCloseTo(Math.max(...times), 0);
        },
      ),
    );
  });

  it.each([
    ['other=1, total;dur=50, database;dur=40;desc="SELECT a, b", cpu', 40, undefined],
    ['total;desc="x, database;dur=9";dur=50 , cache ; dur=30 ; desc="GET"', 30, 'GET'],
    ['edge;dur=1, cache;desc="HIT";dur=2, total;dur=3', 2, 'HIT'],
  ])('of other tools beside ours is read: %s', (header, causeMs, operation) => {
    expect(parseServerTiming(header)).toMatchObject({ causeMs });
    expect(parseServerTiming(header)?.operation).toBe(operation);
  });

  it.each([
    '',
    'total;dur=50',
    'db;dur=53, app;dur=47.2',
    'database;dur=40',
    'total;dur=abc, database;dur=40',
    'total;dur=10, database;dur=4000',
    'toString;dur=1, __proto__;dur=2, total;dur=3',
    'total;dur=5e9999, database;dur=1e400',
  ])('without a whole and its parts says nothing: %j', (header) => {
    expect(parseServerTiming(header)).toBeUndefined();
  });

  it('of a hostile server is bounded, and names nothing that is no operation', () => {
    const secret = 'total;dur=9, database;dur=8;desc="<script>alert(1)</script>"';
    expect(parseServerTiming(secret)).toEqual({ totalMs: 9, cause: 'database', causeMs: 8 });
    for (const part of [';', ';a="', 'a;', 'a;dur=1,', '";"', ' ;dur', 'total;dur=1;desc="'])
      expect(parseServerTiming(part.repeat(1_000_000))).toBeUndefined();
  });
});
