import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { blockingStack } from '../../lib/process/blocking-stack.js';
import { EventLoopWatchdog } from '../../lib/process/event-loop-watchdog.js';
import type { Stall } from '../../lib/process/stall.js';
import { sleep } from '../support/tracing.js';

const RUNTIME = Symbol.for('nestjs-performance.runtime');
const globals = globalThis as { [RUNTIME]?: unknown };

function guiltyLoop(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('EventLoopWatchdog within Jest, whose tests have their own context', () => {
  let watchdog: EventLoopWatchdog | undefined;
  const before = globals[RUNTIME];
  afterEach(() => {
    watchdog?.stop();
    globals[RUNTIME] = before;
    jest.useRealTimers();
  });

  const started = async (limitMs = 60): Promise<EventLoopWatchdog> => {
    watchdog = new EventLoopWatchdog({ enabled: true, limitMs });
    watchdog.start();
    await sleep(400);
    return watchdog;
  };

  it('captures the stack and the operation', async () => {
    const operation = { type: 'http', name: 'GET /', traceId: 't', spanId: 's' };
    globals[RUNTIME] = () => ({ activeOperation: () => JSON.stringify(operation) });
    const running = await started();
    const blocks: Stall[] = [];
    running.onBlock((block) => blocks.push(block));
    const from = performance.now();
    guiltyLoop(300);
    const [now] = running.stallsWithin(from, performance.now());
    await sleep(100);
    // The first assertions of a file load what they need, which may block the loop as well.
    const to = performance.now();
    const guilty = now?.stack?.find(({ functionName }) => functionName === 'guiltyLoop');
    expect(guilty?.url).toBe(__filename);
    expect(now?.operation).toEqual(operation);
    expect(blocks).toHaveLength(1);
    expect(blocks[0]).toMatchObject({ stack: now?.stack, operation });
    expect(running.stallsWithin(from, to)).toEqual(blocks);
    expect(running.stallsWithin(0, from).every(({ startedAt }) => startedAt < from)).toBe(true);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['returns invalid JSON', () => '{'],
    ['returns nothing', () => ''],
  ])('keeps the stack if the runtime %s', async (_what, activeOperation) => {
    globals[RUNTIME] = () => ({ activeOperation });
    const running = await started();
    const from = performance.now();
    guiltyLoop(300);
    const [stall] = running.stallsWithin(from, performance.now());
    expect(stall?.stack).toBeDefined();
    expect(stall?.operation).toBeUndefined();
  });

  it('beats if a test has replaced the clock', async () => {
    jest.useFakeTimers();
    const from = performance.now();
    watchdog = new EventLoopWatchdog({ enabled: true, limitMs: 200 });
    watchdog.start();
    jest.useRealTimers();
    await sleep(700);
    const longest = Math.max(
      0,
      ...watchdog.stallsWithin(from, from + 700).map((s) => s.endedAt - s.startedAt),
    );
    expect(longest).toBeLessThan(500);
  });

  it('does nothing if it is off', () => {
    for (const options of [
      { enabled: false, limitMs: 100 },
      { enabled: true, limitMs: 0 },
      { enabled: true, limitMs: Number.NaN },
    ]) {
      const off = new EventLoopWatchdog(options);
      off.start();
      expect(off.status).toMatchObject({ state: 'off', reason: expect.any(String), captures: 0, skipped: 0 });
      expect(off.stallsWithin(0, Number.POSITIVE_INFINITY)).toEqual([]);
      off.stop();
    }
  });
});

describe('blockingStack', () => {
  const HEARTBEAT = 'theHeartbeat';
  const taken = (): ReturnType<typeof blockingStack> => {
    function above(): ReturnType<typeof blockingStack> {
      return blockingStack(above, HEARTBEAT);
    }
    return above();
  };

  it("returns V8's frames, and restores Error", () => {
    const { prepareStackTrace, stackTraceLimit } = Error;
    const stack = taken();
    expect(stack?.[0]).toMatchObject({ functionName: 'taken', url: __filename });
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
    expect(Error.prepareStackTrace).toBe(prepareStackTrace);
  });

  it('returns up to 40 frames', () => {
    const deep = (left: number): ReturnType<typeof blockingStack> => (left > 0 ? deep(left - 1) : taken());
    expect(deep(100)).toHaveLength(40);
  });

  it('returns nothing if the loop turns again', () => {
    const beat = Object.defineProperty(() => taken(), 'name', { value: HEARTBEAT });
    expect(beat()).toBeUndefined();
  });
});
