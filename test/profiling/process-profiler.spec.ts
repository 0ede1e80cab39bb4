import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ExecutionLog } from '../../lib/profiling/execution-log.js';
import { type NoticedSpan, ProcessProfiler } from '../../lib/profiling/process-profiler.js';
import type { Sampler } from '../../lib/profiling/sample-window.js';

const LIMITS = { intervalMs: 10, keepMs: 60_000, maxBytes: 1e6 };
/** Nothing is sampled here. */
const SAMPLER: Sampler = {
  name: 'inspector',
  obstacle: () => 'not here',
  start: () => {},
  rotate: () => {
    throw new Error('not here');
  },
  stop: () => {},
};

class TestSpan implements NoticedSpan {
  executionNumber = 0;
  executionPeriod = 0;
  executionChildren = 0;
  executionChildrenSum = 0;
  readonly root: TestSpan;
  constructor(
    readonly parent: TestSpan | undefined = undefined,
    public isWork = false,
  ) {
    this.root = parent?.root ?? this;
  }
}

describe('ProcessProfiler', () => {
  let profiler: ProcessProfiler;
  let executionLog: ExecutionLog;
  let now = 0;
  beforeEach(() => {
    profiler = new ProcessProfiler();
    executionLog = profiler.acquire(LIMITS, SAMPLER, () => 0).executionLog;
    now = performance.now();
  });
  afterEach(() => profiler.release());

  const begin = (parent?: TestSpan, isWork = false): TestSpan => {
    const span = new TestSpan(parent, isWork);
    profiler.started(span, now++);
    return span;
  };
  const end = (span: TestSpan): void => profiler.ended(span, now++);
  const running = (): number => (profiler as unknown as { tracker: { running: number } }).tracker.running;
  /** Whether the last mark holds until the next one. */
  const exact = (): boolean => {
    const reader = executionLog.reader(now);
    reader.seek(now);
    return reader.exact;
  };

  it('does nothing while no module has acquired it', () => {
    const unused = new ProcessProfiler();
    const span = new TestSpan();
    unused.started(span, 1);
    unused.ended(span, 2);
    unused.streams(span);
    expect(span).toEqual(new TestSpan());
    expect(unused).toMatchObject({ ring: undefined, executionLog: undefined });
  });

  it('is shared by all modules, and stops with the last one', () => {
    const { ring } = profiler;
    const again = profiler.acquire({ ...LIMITS, intervalMs: 1 }, SAMPLER, () => 0);
    expect(again).toEqual({ ring, executionLog, refused: ['profiling.intervalMs'] });
    profiler.release();
    expect(profiler).toMatchObject({ ring, executionLog });
    profiler.release();
    expect(profiler).toMatchObject({ ring: undefined, executionLog: undefined });
    expect(ring?.status).toMatchObject({ state: 'off', reason: 'stopped' });
    profiler.acquire(LIMITS, SAMPLER, () => 0);
    expect(profiler.ring).not.toBe(ring);
  });

  it('attributes code to a span, its children, and the span again', () => {
    const root = begin();
    const child = begin(root);
    expect(executionLog.current).toBe(child.executionNumber);
    const query = begin(child, true);
    // Work is not marked: the code of its parent continues.
    expect(executionLog.current).toBe(child.executionNumber);
    end(query);
    end(child);
    expect(executionLog.current).toBe(root.executionNumber);
    end(root);
    expect(executionLog.current).toBe(0);
    expect(running()).toBe(0);
  });

  it('attributes code to the only running child, and to the only request', () => {
    const [root, other] = [begin(), begin()];
    const [one, two] = [begin(root), begin(root)];
    end(one);
    expect(executionLog.current).toBe(two.executionNumber);
    end(two);
    expect(executionLog.current).toBe(root.executionNumber);
    end(root);
    expect(executionLog.current).toBe(other.executionNumber);
    end(other);
    expect(running()).toBe(0);
  });

  it('leaves exact marks for one request, and inexact ones once a second one starts', () => {
    const first = begin();
    expect(exact()).toBe(true);
    const second = begin();
    // The first one may go on without a mark.
    expect(exact()).toBe(false);
    end(second);
    expect(exact()).toBe(true);
    end(first);
    expect(exact()).toBe(true);
  });

  it('leaves inexact marks once a second part of a request starts', () => {
    const root = begin();
    const one = begin(root);
    expect(exact()).toBe(true);
    const two = begin(root);
    expect(exact()).toBe(false);
    for (const span of [two, one, root]) end(span);
    expect(running()).toBe(0);
  });

  it('stops counting a child that turns out to be work when it ends', () => {
    const root = begin();
    for (let times = 0; times < 5; times++) {
      const late = begin(root);
      late.isWork = true;
      end(late);
      expect(root).toMatchObject({ executionChildren: 0, executionChildrenSum: 0 });
      expect(running()).toBe(1);
    }
    end(root);
  });

  it('does not count below zero when a span turns out not to be work', () => {
    const root = begin();
    const [query, child] = [begin(root, true), begin(root)];
    query.isWork = false;
    end(query);
    expect(root).toMatchObject({ executionChildren: 1, executionChildrenSum: child.executionNumber });
    end(child);
    end(root);
  });

  it('does not count a stream any more', () => {
    const stream = begin();
    profiler.streams(stream);
    profiler.streams(stream);
    expect(running()).toBe(0);
    const request = begin();
    end(stream);
    expect(running()).toBe(1);
    end(request);
    expect(running()).toBe(0);
  });

  it('ignores the end of spans whose start it has not seen', () => {
    const early = new TestSpan();
    end(early);
    const child = begin(early);
    end(child);
    expect(running()).toBe(0);
  });

  it('ignores spans from before it was released and acquired again', () => {
    const old = [begin(), begin()];
    profiler.release();
    executionLog = profiler.acquire(LIMITS, SAMPLER, () => 0).executionLog;
    const young = begin();
    expect(running()).toBe(1);
    expect(old.map(({ executionNumber }) => executionNumber)).not.toContain(young.executionNumber);
    for (const span of old) end(span);
    expect(running()).toBe(1);
    expect(executionLog.current).toBe(young.executionNumber);
    end(young);
    expect(running()).toBe(0);
  });
});
