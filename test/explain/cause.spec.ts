import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CAUSES, type CauseEvidence, rankCauses } from '../../lib/explain/cause.js';
import type { Repetition } from '../../lib/explain/repetition.js';
import { SpanTiming } from '../../lib/spans/span-timing.js';
import {
  CACHE,
  CONNECTION_POOL,
  DATABASE,
  EXTERNAL,
  emptyBreakdown,
  MESSAGING,
  RPC,
  SELF_BUSY,
  SELF_IDLE,
  WORK_IDLE,
} from '../../lib/spans/work.js';
import { WorkGroup } from '../../lib/spans/work-group.js';

const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);

/** Evidence of 100 ms: milliseconds by kind of work, and further facts. */
function evidence(parts: Record<number, number>, more: Partial<CauseEvidence> = {}): CauseEvidence {
  const breakdown = emptyBreakdown();
  for (const [index, value] of Object.entries(parts)) breakdown[Number(index)] = value;
  return {
    durationMs: 100,
    breakdown,
    repetitions: [],
    chain: undefined,
    blockedByOthersMs: 0,
    blockedByOwnMs: 0,
    blockedByUnknownMs: 0,
    othersShare: 0,
    cpuMs: 100,
    poolIsOwn: false,
    gcMs: 0,
    alone: true,
    dominant: () => undefined,
    ...more,
  };
}

function repetition(totalMs: number, work = DATABASE): Repetition {
  const group = new WorkGroup({ fingerprint: 'q', name: 'SELECT q', effect: 'read' }, work, root, undefined);
  return {
    type: 'n_plus_one',
    group,
    fingerprint: 'q',
    name: 'SELECT q',
    count: 50,
    totalMs,
    sequential: true,
    frames: undefined,
  };
}

const first = (given: CauseEvidence) => rankCauses(given)[0];

describe('rankCauses', () => {
  it('uses the samples of the collector if they exceed its measured pauses', () => {
    const busy = { [SELF_BUSY]: 100 };
    expect(first(evidence(busy, { gcMs: 40 }))).toMatchObject({ cause: 'cpu', share: 0.6 });
    const sampled = { sampled: true, gcMs: 40 };
    expect(first(evidence(busy, { ...sampled, gcShare: 0.7 }))).toMatchObject({ cause: 'gc', share: 0.7 });
    expect(first(evidence(busy, { ...sampled, gcShare: 0.2 }))).toMatchObject({ cause: 'cpu', share: 0.6 });
    // Samples cover only self time.
    const waiting = { [SELF_BUSY]: 40, [SELF_IDLE]: 60 };
    expect(rankCauses(evidence(waiting, { sampled: true, gcShare: 0.5 }))).toMatchObject([
      { cause: 'waiting', ms: 60 },
      { cause: 'gc', ms: 20 },
      { cause: 'cpu', ms: 20 },
    ]);
  });

  it.each([
    ['database', DATABASE],
    ['cache', CACHE],
    ['external', EXTERNAL],
    ['messaging', MESSAGING],
    ['rpc', RPC],
    ['connection_pool', CONNECTION_POOL],
  ])('finds %s if it took most of the time', (cause, work) => {
    expect(first(evidence({ [work]: 80, [WORK_IDLE]: 80, [SELF_IDLE]: 20 }))).toMatchObject({
      cause,
      share: 0.8,
    });
  });

  it('separates a repetition from other work of its kind', () => {
    expect(
      rankCauses(
        evidence({ [DATABASE]: 90, [WORK_IDLE]: 90, [SELF_BUSY]: 10 }, { repetitions: [repetition(70)] }),
      ),
    ).toMatchObject([
      { cause: 'n_plus_one', share: 0.7, count: 50 },
      { cause: 'database', share: 0.2 },
      { cause: 'cpu', share: 0.1 },
    ]);
  });

  it('prefers one slow query to a shorter repetition', () => {
    expect(
      first(evidence({ [DATABASE]: 95, [WORK_IDLE]: 95 }, { repetitions: [repetition(20)] })),
    ).toMatchObject({ cause: 'database' });
  });

  it('distinguishes own JavaScript from waiting', () => {
    expect(first(evidence({ [SELF_BUSY]: 90, [SELF_IDLE]: 10 }))).toMatchObject({
      cause: 'cpu',
      certainty: 'measured',
    });
    expect(first(evidence({ [SELF_BUSY]: 10, [SELF_IDLE]: 90 }))).toMatchObject({ cause: 'waiting' });
  });

  it('is less certain of own JavaScript with concurrent requests and without a stack', () => {
    expect(first(evidence({ [SELF_BUSY]: 90, [SELF_IDLE]: 10 }, { alone: false }))).toMatchObject({
      cause: 'cpu',
      certainty: 'likely',
    });
    expect(
      first(evidence({ [SELF_BUSY]: 90, [SELF_IDLE]: 10 }, { alone: false, blockedByOwnMs: 80 })),
    ).toMatchObject({ cause: 'cpu', certainty: 'measured' });
  });

  it('subtracts the time of a blocked event loop from a query', () => {
    expect(
      first(
        evidence({ [DATABASE]: 95, [WORK_IDLE]: 5, [SELF_BUSY]: 5 }, { alone: false, blockedByOthersMs: 90 }),
      ),
    ).toMatchObject({ cause: 'event_loop_blocked', share: 0.9 });
  });

  it('keeps a query as the cause that is slow without the block, too', () => {
    expect(
      first(evidence({ [DATABASE]: 100, [WORK_IDLE]: 80 }, { alone: false, blockedByOthersMs: 20 })),
    ).toMatchObject({ cause: 'database', share: 0.8 });
  });

  it('subtracts own JavaScript from a concurrent query', () => {
    expect(first(evidence({ [DATABASE]: 100, [WORK_IDLE]: 10 }, { blockedByOwnMs: 85 }))).toMatchObject({
      cause: 'cpu',
    });
  });

  it('distinguishes the collector from the JavaScript that it paused', () => {
    expect(rankCauses(evidence({ [SELF_BUSY]: 100 }, { gcMs: 70 }))).toMatchObject([
      { cause: 'gc', share: 0.7 },
      { cause: 'cpu', share: 0.3 },
    ]);
  });

  it('finds calls that could have run in parallel', () => {
    const chain = {
      count: 4,
      sumMs: 90,
      maxMs: 30,
      owner: root,
      names: ['a', 'b', 'c'],
      spent: [0, 0, 90, 0, 0, 0],
      fingerprint: 'a',
      fingerprints: 4,
      spanIds: [],
    };
    const given = evidence({ [EXTERNAL]: 90, [WORK_IDLE]: 90, [SELF_IDLE]: 10 }, { chain });
    expect(first(given)).toMatchObject({ cause: 'sequential_calls', certainty: 'likely' });
    // If one call is most of it, or they save little, the cause is that call or unknown.
    expect(first({ ...given, chain: { ...chain, maxMs: 80 } })).toMatchObject({ cause: 'external' });
    expect(first({ ...given, chain: { ...chain, count: 2 } })).toMatchObject({ cause: 'external' });
    expect(first({ ...given, chain: { ...chain, sumMs: 30, maxMs: 10 } })).toMatchObject({
      cause: 'external',
    });
  });

  it('is unknown if no cause takes a quarter', () => {
    const parts = {
      [DATABASE]: 20,
      [CACHE]: 20,
      [EXTERNAL]: 20,
      [WORK_IDLE]: 60,
      [SELF_BUSY]: 20,
      [SELF_IDLE]: 20,
    };
    expect(first(evidence(parts))?.cause).toBe('unknown');
    expect(first(evidence({}))).toMatchObject({ cause: 'unknown', share: 1 });
  });

  it('has known names and shares of up to 1 in total, the greatest first, for any evidence', () => {
    const part = fc.double({ min: 0, max: 1000, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 9, maxLength: 9 }),
        fc.record({ blockedByOthersMs: part, blockedByOwnMs: part, blockedByUnknownMs: part, gcMs: part }),
        fc.boolean(),
        part,
        (parts, blocked, alone, repeated) => {
          const breakdown = [...parts];
          const works = breakdown.slice(0, 6).reduce((sum, ms) => sum + ms, 0);
          breakdown[WORK_IDLE] = Math.min(breakdown[WORK_IDLE] as number, works);
          const durationMs = works + (breakdown[SELF_BUSY] as number) + (breakdown[SELF_IDLE] as number);
          const causes = rankCauses({
            ...evidence({}),
            ...blocked,
            alone,
            breakdown,
            durationMs,
            repetitions: [repetition(repeated)],
          });
          const shares = causes.map(({ share }) => share);
          expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1.01);
          for (const { cause, share } of causes) {
            expect(CAUSES).toContain(cause);
            expect(share).toBeGreaterThanOrEqual(0);
          }
          const ranked = causes[0]?.cause === 'unknown' ? shares.slice(1) : shares;
          expect(ranked).toEqual([...ranked].sort((a, b) => b - a));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
