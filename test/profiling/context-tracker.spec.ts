import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { ContextTracker } from '../../lib/profiling/context-tracker.js';
import { ExecutionLog } from '../../lib/profiling/execution-log.js';
import { sleep } from '../support/tracing.js';

// A machine that is busy throughout keeps the loop from being idle.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

const NUMBER = createContextKey('number of the request');
const PERIOD_MS = 50;

const burn = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};
/** Lets other code run, each in its own way. */
const TURNS: Record<string, () => Promise<unknown>> & Record<'setImmediate', () => Promise<void>> = {
  setImmediate: () => new Promise<void>((resolve) => setImmediate(resolve)),
  setTimeout: () => sleep(1),
  'a promise': () =>
    Promise.resolve()
      .then(TURNS.setImmediate)
      .then(() => {}),
  'the file system': () => import('node:fs/promises').then(({ stat }) => stat('/')),
};

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly number: number;
}

describe('ContextTracker', () => {
  let executionLog: ExecutionLog;
  let tracker: ContextTracker;
  let active: () => number;
  beforeEach(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    executionLog = new ExecutionLog();
    active = () => Number(context.active().getValue(NUMBER) ?? 0);
    tracker = new ContextTracker(executionLog, () => active());
  });
  afterEach(() => {
    tracker.stop();
    context.disable();
    jest.restoreAllMocks();
  });

  const inside = () =>
    tracker as unknown as { tracking: boolean; timer: unknown; periodStart: number; tick(): void };
  /** Serves a request whose pieces burn, and notes whether each was tracked. */
  const serve = (
    forMs: number,
    turn: () => Promise<unknown>,
    pieces: Piece[] = [],
    pieceMs = 3,
  ): Promise<void> => {
    const number = executionLog.number(0);
    return context.with(ROOT_CONTEXT.setValue(NUMBER, number), async () => {
      const begun = performance.now();
      const period = tracker.started(begun, number);
      executionLog.mark(number, begun);
      while (performance.now() < begun + forMs) {
        const from = performance.now();
        burn(pieceMs);
        if (inside().tracking) pieces.push({ from, to: performance.now(), number });
        await turn();
      }
      tracker.ended(period, number);
      executionLog.mark(tracker.only, performance.now());
    });
  };

  it('does not track a single request, however long', async () => {
    const pieces: Piece[] = [];
    await serve(300, TURNS.setImmediate, pieces);
    expect(pieces).toEqual([]);
    expect(inside().timer).toBeUndefined();
  });

  it('does not track while the loop is mostly idle', async () => {
    const pieces: Piece[] = [];
    await Promise.all([1, 2, 3].map(() => serve(300, () => sleep(40), pieces, 1)));
    expect(pieces).toEqual([]);
  });

  it('tracks two requests that keep the loop busy, and stops with its timer when they have ended', async () => {
    const pieces: Piece[] = [];
    await Promise.all([1, 2].map(() => serve(500, TURNS.setImmediate, pieces)));
    expect(new Set(pieces.map(({ number }) => number)).size).toBe(2);
    expect(tracker.running).toBe(0);
    await sleep(2 * PERIOD_MS + 50);
    expect(inside()).toMatchObject({ tracking: false, timer: undefined });
    expect(executionLog).toMatchObject({ exact: true, current: 0 });
  });

  it.each(Object.entries(TURNS))('marks the callbacks of each request across %s', async (_way, turn) => {
    const pieces: Piece[] = [];
    await Promise.all([
      serve(500, turn, pieces),
      serve(500, TURNS.setImmediate, pieces),
      serve(500, turn, pieces),
    ]);
    pieces.sort((a, b) => a.from - b.from);
    expect(pieces.length).toBeGreaterThan(10);
    const reader = executionLog.reader(pieces[0]?.from ?? 0);
    const wrong = pieces.filter(({ from, to, number }) => {
      reader.seek((from + to) / 2);
      return reader.number !== number;
    });
    expect(wrong).toEqual([]);
  });

  it('survives an error in the lookup of the active span', async () => {
    let asked = 0;
    active = () => {
      asked++;
      throw new Error('no');
    };
    const pieces: Piece[] = [];
    await Promise.all([1, 2].map(() => serve(400, TURNS.setImmediate, pieces)));
    expect(asked).toBeGreaterThan(0);
    expect(inside().tracking).toBe(false);
  });

  it('does not track once stopped, even if requests still run', async () => {
    const served = [1, 2].map(() => serve(400, TURNS.setImmediate));
    await sleep(250);
    expect(inside().tracking).toBe(true);
    tracker.stop();
    expect(inside()).toMatchObject({ tracking: false, timer: undefined });
    expect(executionLog.exact).toBe(false);
    await Promise.all(served);
  });

  it('knows the only running request', () => {
    expect(tracker.only).toBe(0);
    const first = tracker.started(0, 7);
    expect(tracker.only).toBe(7);
    const second = tracker.started(1, 9);
    expect(tracker.only).toBe(0);
    tracker.ended(first, 7);
    expect(tracker).toMatchObject({ only: 9, running: 1 });
    const part = tracker.started(2, 0);
    expect(tracker.only).toBe(0);
    tracker.ended(second, 9);
    expect(tracker).toMatchObject({ only: 0, running: 1 });
    tracker.ended(part, 0);
    expect(tracker.running).toBe(0);
  });

  it('counts each request once, in whichever period it started', () => {
    const periods = Array.from({ length: 20 }, (_, index) => tracker.started(index * 30, index + 1));
    expect(tracker.running).toBe(20);
    for (const [index, period] of periods.entries()) tracker.ended(period, index + 1);
    expect(tracker).toMatchObject({ startedThisPeriod: 0, startedLastPeriod: 0, older: 0 });
  });

  it('does not track short requests, even if the timer ends a period just after a request did', () => {
    let now = 1000;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    // One after the other, so that always two of them run, for 10 ms each.
    let last = { period: tracker.started(now, 1), number: 1 };
    for (let number = 2; number < 100; number++) {
      now += 5;
      const next = { period: tracker.started(now, number), number };
      const hasLooked = inside().periodStart === now;
      now += 1;
      if (hasLooked) inside().tick();
      expect(inside().tracking).toBe(false);
      now += 4;
      tracker.ended(last.period, last.number);
      last = next;
    }
  });
});
