import { runInThisContext } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { loadDatadogSampler } from '../../lib/profiling/datadog-sampler.js';
import { DatadogWindow, type FinishedProfile } from '../../lib/profiling/datadog-window.js';
import type { Sampler, SampleWindow } from '../../lib/profiling/sample-window.js';

const INTERVAL_MS = 5;

/** Line 11, column 3 of a file: where the function that burns begins. */
const burn = runInThisContext(
  '(function burn(until) { let x = 0; while (!until()) x = Math.sqrt(x + 1); return x; })',
  {
    filename: '/srv/app/burn.js',
    lineOffset: 10,
  },
) as (until: () => boolean) => number;

function burnFor(ms: number): void {
  const end = performance.now() + ms;
  // V8 may make one function of both, so the clock is asked rarely.
  burn(() => {
    for (let i = 0; i < 1e5; i++) if (Math.sqrt(i) < 0) return true;
    return performance.now() > end;
  });
}

/** The samples whose stack holds a function. */
function within(window: SampleWindow, name: string): number {
  return Array.from(window.sampleNode).filter((node) => {
    for (let at = node; at >= 0; at = window.nodeParent[at] ?? -1) {
      if (window.functions[window.nodeFunction[at] ?? -1]?.name === name) return true;
    }
    return false;
  }).length;
}

/** Those that were taken. Where the machine is busy, what was put between them may be as many. */
function sampled(window: SampleWindow): number {
  return window.sampleNode.length - within(window, '(program)');
}

function expectSound(window: SampleWindow): void {
  expect(window.intervalMs).toBe(INTERVAL_MS);
  expect(window.sampleAt.length).toBe(window.sampleNode.length);
  expect(window.nodeParent.length).toBe(window.nodeFunction.length);
  expect(window.nodeLine.length).toBe(window.nodeFunction.length);
  expect(window.functions[window.nodeFunction[0] ?? -1]?.name).toBe('(root)');
  for (const [node, parent] of window.nodeParent.entries()) {
    expect(parent).toBeGreaterThanOrEqual(node === 0 ? -1 : 0);
    expect(parent).toBeLessThan(node);
    expect(window.functions[window.nodeFunction[node] ?? -1]).toBeDefined();
  }
  let before = window.startedAt;
  for (const at of window.sampleAt) {
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(window.endedAt);
    before = at;
  }
  for (const node of window.sampleNode) expect(window.nodeFunction[node]).toBeDefined();
}

describe('the sampler of @datadog/pprof', () => {
  let sampler: Sampler | undefined;
  afterEach(() => sampler?.stop());

  /** Nothing where the package has no build: then it must say so. */
  async function started(): Promise<Sampler | undefined> {
    const loaded = await loadDatadogSampler(INTERVAL_MS);
    sampler = loaded.sampler;
    if (sampler === undefined) {
      expect(loaded.reason).toMatch(/cannot be loaded by Node|on Windows/);
      process.stderr.write(`Not tested: ${loaded.reason}\n`);
      return undefined;
    }
    sampler.start();
    return sampler;
  }

  it('finds busy functions with their definition and time', async () => {
    const running = await started();
    if (running === undefined) return;
    burnFor(150);
    const window = running.rotate();
    expectSound(window);
    expect(sampled(window)).toBeGreaterThan(0);
    expect(within(window, 'burn')).toBeGreaterThan(sampled(window) / 2);
    expect(window.functions).toContainEqual({ name: 'burn', url: '/srv/app/burn.js', line: 11, column: 15 });
  });

  it('continues in the next window, and reports idle time', async () => {
    const running = await started();
    if (running === undefined) return;
    burnFor(50);
    const first = running.rotate();
    await new Promise((resolve) => setTimeout(resolve, 150));
    const second = running.rotate();
    expect(second.startedAt).toBe(first.endedAt);
    expectSound(second);
    expect(within(second, 'burn')).toBe(0);
    expect(within(second, '(idle)')).toBeGreaterThan(sampled(second) / 2);
  });

  it('can be restarted after a stop, but not started twice', async () => {
    const running = await started();
    if (running === undefined) return;
    const other = (await loadDatadogSampler(INTERVAL_MS)).sampler;
    expect(running.obstacle?.()).toBeUndefined();
    expect(other?.obstacle?.()).toContain('another profiler');
    expect(() => other?.start()).toThrow('is using @datadog/pprof');
    other?.stop();
    running.stop();
    expect(() => running.rotate()).toThrow('the sampler was not started');
    running.start();
    burnFor(50);
    expect(within(running.rotate(), 'burn')).toBeGreaterThan(0);
  });
});

describe('a window of @datadog/pprof', () => {
  /** The package's profile of these frames, innermost first, with times in milliseconds. */
  function windowOf(samples: { name: string; at: number }[], endedAt: number): SampleWindow {
    const window = new DatadogWindow(1000, 10);
    const names = [...new Set(samples.map(({ name }) => name))];
    const profile: FinishedProfile = {
      sample: samples.map(({ name, at }) => {
        const timestamp = BigInt(Math.round((performance.timeOrigin + at) * 1000));
        const num = window.generateLabels({ node: { name }, context: { timestamp } })['sample'] ?? -1;
        return { locationId: [names.indexOf(name) + 1], label: [{ num }] };
      }),
      location: names.map((_, index) => ({ line: [{ functionId: index + 1 }] })),
      function: names.map((_, index) => ({ name: index, filename: names.length })),
      stringTable: { strings: [...names, ''] },
    };
    return window.finish(profile, endedAt);
  }
  const result = (window: SampleWindow): string[] =>
    Array.from(window.sampleNode, (node, index) => {
      const name = window.functions[window.nodeFunction[node] ?? -1]?.name;
      return `${name}@${Math.round(window.sampleAt[index] ?? 0)}`;
    });

  it('inserts (program) where samples are missing, because the package omits it', () => {
    const samples = [
      { name: 'a', at: 1005 },
      { name: '(idle)', at: 1015 },
      { name: 'a', at: 1045 },
      { name: 'a', at: 1061 },
    ];
    expect(result(windowOf(samples, 1080))).toEqual([
      'a@1005',
      '(idle)@1015',
      '(program)@1025',
      'a@1045',
      'a@1061',
    ]);
    expect(result(windowOf(samples, 1100)).at(-1)).toBe('(program)@1071');
  });

  it('stays empty if nothing was sampled', () => {
    expect(result(windowOf([], 9000))).toEqual([]);
  });

  it("sorts samples by time, and uses V8's names", () => {
    const samples = [
      { name: 'Garbage Collection', at: 1012 },
      { name: '(anonymous)', at: 1004 },
    ];
    expect(result(windowOf(samples, 1020))).toEqual(['@1004', '(garbage collector)@1012']);
  });
});
