import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { RequestAnalyzer } from '../../lib/explain/request-analyzer.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { EventLoopWatchdog } from '../../lib/process/event-loop-watchdog.js';
import type { Stall } from '../../lib/process/stall.js';

/** Without a stack, whose source map would be read. */
const STALL: Stall = {
  startedAt: 1000,
  endedAt: 1400,
  cpuMs: 400,
  operation: {
    type: 'http',
    name: 'GET /count',
    traceId: '',
    spanId: '1',
    rootSpanId: '1',
    rootType: 'http',
    rootName: 'GET /count',
  },
};

/** The findings of a block within which the collector paused the process for so long. */
async function findingsOf(gcMs: number | undefined): Promise<string[]> {
  const onBlock = jest.spyOn(EventLoopWatchdog.prototype, 'onBlock');
  const asked: number[][] = [];
  const pausesWithin = async (from: number, to: number): Promise<number | undefined> => {
    asked.push([from, to]);
    await turn();
    return gcMs;
  };
  const errors: unknown[] = [];
  const { detection } = resolveOptions({}, {});
  const analyzer = new RequestAnalyzer(detection, pausesWithin, (error) => errors.push(error));
  const [[report]] = onBlock.mock.calls as [[(stall: Stall) => void]];
  report(STALL);
  await turn();
  await turn();
  analyzer.stop();
  expect(asked).toEqual([[STALL.startedAt, STALL.endedAt]]);
  expect(errors).toEqual([]);
  return analyzer.findings.list().map(({ type }) => type);
}

describe('a block of the event loop', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each([0, 190, undefined])('is a finding if collections took %s of its 400 ms', async (gcMs) => {
    expect(await findingsOf(gcMs)).toEqual(['event_loop_block']);
  });

  it('is none if collections, which are reported after it, took most of it', async () => {
    expect(await findingsOf(210)).toEqual([]);
  });
});
