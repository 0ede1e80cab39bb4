import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CAUSES, type CauseEvidence, rankCauses } from '../../lib/explain/cause.js';
import type { Repetition } from '../../lib/explain/repetition.js';
import { dominantGroup } from '../../lib/explain/slow-evidence.js';
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
} from '../../lib/spans/work.js';
import { WorkGroup } from '../../lib/spans/work-group.js';

const root = new SpanTiming(undefined, SELF_BUSY, 0, 0);

/** Evidence of 100 ms: milliseconds by kind of work, and further facts. */
function evidence(parts: Record<number, number>, more: Partial<CauseEvidence> = {}): CauseEvidence {
  const breakdown = emptyBreakdown();
  for (const [index, value] of Object.entries(parts)) breakdown[Number(index)] = value;
  return {
    durationMs: 100,
    thresholdMs: 50,
    breakdown,
    repetitions: [],
    chain: undefined,
    blockedByOthersMs: 0,
    blockedByOwnMs: 0,
    blockedByUnknownMs: 0,
    othersShare: 0,
    selfBusyMs: breakdown[SELF_BUSY] as number,
    cpuMs: 100,
    runDelayMs: 0,
    throttledMs: 0,
    synchronousMs: 0,
    poolIsOwn: false,
    gcMs: 0,
    alone: true,
    dominant: () => undefined,
    ...more,
  };
}

function repetition(totalMs: number, work = DATABASE): Repetition {
  const group = new WorkGroup({ fingerprint: 'q', name: 'SELECT q', effect: 'read' }, work, root, undefined);
  group.begin(root, 0, 0);
  group.end(
    { durationMs: totalMs, waitedMs: totalMs, error: false, inputs: undefined, rows: undefined, spanId: '' },
    totalMs,
    0,
  );
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

describe('the dominant group', () => {
  it('is the one that was waited for longest, of its kind and among those of one name', () => {
    const [short, long, cache] = [repetition(5), repetition(60), repetition(90, CACHE)].map(
      ({ group }) => group,
    ) as [WorkGroup, WorkGroup, WorkGroup];
    expect(dominantGroup(DATABASE, [long, short, cache])).toBe(long);
    expect(dominantGroup(DATABASE, [cache, short, long])).toBe(long);
    expect(dominantGroup(EXTERNAL, [short, long])).toBeUndefined();
  });
});

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
    expect(first(evidence({ [work]: 80, [SELF_IDLE]: 20 }))).toMatchObject({
      cause,
      share: 0.8,
    });
  });

  it('separates a repetition from other work of its kind', () => {
    expect(
      rankCauses(evidence({ [DATABASE]: 90, [SELF_BUSY]: 10 }, { repetitions: [repetition(70)] })),
    ).toMatchObject([
      { cause: 'n_plus_one', share: 0.7, count: 50 },
      { cause: 'database', share: 0.2 },
      { cause: 'cpu', share: 0.1 },
    ]);
  });

  it('prefers one slow query to a shorter repetition', () => {
    expect(first(evidence({ [DATABASE]: 95 }, { repetitions: [repetition(20)] }))).toMatchObject({
      cause: 'database',
    });
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

  it('attributes busy time while a query ran to the work that blocked the event loop', () => {
    expect(
      rankCauses(
        evidence({ [DATABASE]: 5, [SELF_BUSY]: 95 }, { alone: false, selfBusyMs: 5, blockedByOthersMs: 90 }),
      ),
    ).toMatchObject([
      { cause: 'event_loop_blocked', share: 0.9, certainty: 'measured' },
      { cause: 'cpu', share: 0.05 },
      { cause: 'database', share: 0.05 },
    ]);
    const held = { alone: false, blockedByUnknownMs: 80 };
    expect(first(evidence({ [SELF_BUSY]: 100 }, { ...held, selfBusyMs: 10 }))).toMatchObject({
      cause: 'event_loop_blocked',
      certainty: 'likely',
    });
    // While nothing was waited for, it rather ran itself.
    expect(first(evidence({ [SELF_BUSY]: 100 }, { ...held, selfBusyMs: 90 }))?.cause).toBe('cpu');
  });

  it('keeps a query as the cause that is slow without the block, too', () => {
    expect(
      first(evidence({ [DATABASE]: 80, [SELF_BUSY]: 20 }, { alone: false, blockedByOthersMs: 20 })),
    ).toMatchObject({ cause: 'database', share: 0.8 });
  });

  it('separates the time in which the thread had no CPU from busy and idle time', () => {
    const busy = { [SELF_BUSY]: 100 };
    expect(rankCauses(evidence(busy, { cpuMs: 30, runDelayMs: 70 }))).toMatchObject([
      { cause: 'cpu_starved', share: 0.7, certainty: 'measured' },
      { cause: 'cpu', share: 0.3, certainty: 'measured' },
    ]);
    // With a CPU of its own it would have taken 30 ms, which is slow, too.
    expect(rankCauses(evidence(busy, { thresholdMs: 25, cpuMs: 30, runDelayMs: 70 }))).toMatchObject([
      { cause: 'cpu', share: 0.3 },
      { cause: 'cpu_starved', share: 0.7 },
    ]);
    // It also delays the end of the waits.
    const waits = { [DATABASE]: 60, [SELF_IDLE]: 20, [SELF_BUSY]: 20 };
    expect(rankCauses(evidence(waits, { cpuMs: 10, runDelayMs: 50 }))).toMatchObject([
      { cause: 'cpu_starved', ms: 50 },
      { cause: 'database', ms: 30 },
      { cause: 'waiting', ms: 10 },
      { cause: 'cpu', ms: 10 },
    ]);
    // A synchronous call needs no CPU.
    expect(rankCauses(evidence(busy, { cpuMs: 5, runDelayMs: 0 }))).toMatchObject([
      { cause: 'cpu', ms: 100 },
    ]);
    // Some kernels do not count the time in which a limit stops a group as run delay.
    expect(first(evidence(busy, { cpuMs: 30, runDelayMs: 0, throttledMs: 70 }))).toMatchObject({
      cause: 'cpu_starved',
      ms: 70,
    });
    expect(first(evidence(busy, { cpuMs: 90, runDelayMs: 0, throttledMs: 70 }))).toMatchObject({
      cause: 'cpu',
      ms: 90,
    });
  });

  it('does not measure starvation where the run delay is unknown', () => {
    expect(rankCauses(evidence({ [SELF_BUSY]: 100 }, { cpuMs: 20, runDelayMs: undefined }))).toMatchObject([
      { cause: 'cpu', share: 1, certainty: 'likely' },
    ]);
  });

  it('counts synchronous waits as its own although a calculated idle time includes them', () => {
    const idle = { [DATABASE]: 30, [SELF_IDLE]: 60, [SELF_BUSY]: 10 };
    expect(rankCauses(evidence(idle, { cpuMs: 10, synchronousMs: 70 }))).toMatchObject([
      { cause: 'cpu', ms: 80 },
      { cause: 'database', ms: 20 },
    ]);
  });

  it('counts the CPU time of the driver as part of a repetition', () => {
    const { group, ...rest } = repetition(10);
    group.begin(root, 0, 0);
    group.end(
      { durationMs: 60, driverMs: 50, error: false, inputs: undefined, rows: undefined, spanId: '' },
      60,
      0,
    );
    const repeated = { repetitions: [{ group, ...rest }] };
    expect(rankCauses(evidence({ [DATABASE]: 10, [SELF_BUSY]: 90 }, repeated))).toMatchObject([
      { cause: 'n_plus_one', ms: 60 },
      { cause: 'cpu', ms: 40 },
    ]);
  });

  it('counts what an ORM did for its calls as part of a repetition', () => {
    const orm = { repetitions: [repetition(20)], callingShare: () => 0.5 };
    const parts = { [DATABASE]: 20, [SELF_BUSY]: 80 };
    expect(rankCauses(evidence(parts, { ...orm, sampled: true }))).toMatchObject([
      { cause: 'n_plus_one', ms: 60, certainty: 'measured' },
      { cause: 'cpu', ms: 40 },
    ]);
    expect(rankCauses(evidence(parts, orm))).toMatchObject([
      { cause: 'n_plus_one', ms: 60, certainty: 'likely' },
      { cause: 'cpu', ms: 40 },
    ]);
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
    const given = evidence({ [EXTERNAL]: 90, [SELF_IDLE]: 10 }, { chain });
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
        fc.array(part, { minLength: 8, maxLength: 8 }),
        fc.record({
          blockedByOthersMs: part,
          blockedByOwnMs: part,
          blockedByUnknownMs: part,
          gcMs: part,
          selfBusyMs: part,
          cpuMs: part,
          runDelayMs: fc.option(part, { nil: undefined }),
          throttledMs: part,
          synchronousMs: part,
        }),
        fc.boolean(),
        part,
        (parts, blocked, alone, repeated) => {
          const breakdown = [...parts];
          const durationMs = breakdown.reduce((sum, ms) => sum + ms, 0);
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
          const ranked = shares.filter(
            (_, index) => !['unknown', 'cpu_starved'].includes(causes[index]?.cause ?? ''),
          );
          expect(ranked).toEqual([...ranked].sort((a, b) => b - a));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
