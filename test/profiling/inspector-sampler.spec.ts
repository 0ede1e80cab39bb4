import inspector from 'node:inspector';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pathOf } from '../../lib/code/code-path.js';
import { CpuCapture } from '../../lib/profiling/cpu-capture.js';
import { InspectorSampler } from '../../lib/profiling/inspector-sampler.js';
import type { SampleWindow } from '../../lib/profiling/sample-window.js';
import { sleep } from '../support/tracing.js';
import { guilty, guiltySamples } from './windows.js';

const INTERVAL_MS = 2;

describe('InspectorSampler', () => {
  let sampler: InspectorSampler;
  beforeEach(() => {
    sampler = new InspectorSampler(INTERVAL_MS);
    sampler.start();
  });
  afterEach(() => sampler.stop());

  it('has consecutive windows without a gap', async () => {
    const windows: SampleWindow[] = [];
    for (let turn = 0; turn < 5; turn++) {
      await sleep(30);
      windows.push(sampler.rotate());
    }
    for (const [index, { startedAt, endedAt, intervalMs, sampleAt }] of windows.entries()) {
      expect(intervalMs).toBe(INTERVAL_MS);
      expect(endedAt).toBeGreaterThan(startedAt);
      // Each window's clock is aligned separately, to within some hundredths of a millisecond.
      expect(startedAt).toBeLessThan((windows[index - 1]?.endedAt ?? startedAt) + 1);
      expect([...sampleAt]).toEqual([...sampleAt].sort((a, b) => a - b));
      for (const at of sampleAt) expect(at).toBeGreaterThanOrEqual(startedAt);
    }
  });

  it('lists each parent before its children, and has a node for every sample', () => {
    guilty(100);
    const { functions, nodeFunction, nodeParent, nodeLine, sampleNode } = sampler.rotate();
    expect(nodeParent[0]).toBe(-1);
    for (let node = 1; node < nodeParent.length; node++) {
      expect(nodeParent[node]).toBeGreaterThanOrEqual(0);
      expect(nodeParent[node]).toBeLessThan(node);
    }
    for (const fn of nodeFunction) expect(functions[fn]).toBeDefined();
    for (const node of sampleNode) expect(node).toBeLessThan(nodeParent.length);
    expect(functions.some(({ url }) => pathOf(url) === __filename)).toBe(true);
    expect(Math.max(...nodeLine)).toBeGreaterThan(0);
  });

  it('neither loses nor repeats a sample across two rotations', () => {
    const attempt = (): number => {
      const before = sampler.rotate();
      const from = performance.now();
      guilty(200);
      const first = sampler.rotate();
      guilty(200);
      const second = sampler.rotate();
      guilty(200);
      const seen = guiltySamples([before, first, second, sampler.rotate()], from, performance.now());
      // As many as in one piece, on the same machine at the same time.
      const alone = performance.now();
      guilty(600);
      return seen / guiltySamples([sampler.rotate()], alone, performance.now());
    };
    // A machine that does other things takes some samples away, here and there.
    const ratios: number[] = [];
    const isRight = (ratio: number): boolean => ratio > 0.9 && ratio < 1.1;
    while (ratios.length < 6 && !ratios.some(isRight)) ratios.push(attempt());
    expect(ratios.filter(isRight)).not.toEqual([]);
  });

  it.each([
    ['with a title', 'mine'],
    ['without one', undefined],
  ])('does not affect a profile of the application by %s, and is not affected by it', (_how, title) => {
    const finished: (string | undefined)[] = [];
    const session = new inspector.Session();
    session.connect();
    try {
      session.post('Profiler.enable');
      session.on('Profiler.consoleProfileFinished', ({ params }) => finished.push(params.title));
      const profileEnd = inspector.console.profileEnd as (label?: string) => void;
      (inspector.console.profile as (label?: string) => void)(title);
      guilty(100);
      expect(guiltySamples([sampler.rotate()])).toBeGreaterThan(0);
      guilty(100);
      profileEnd(title);
      guilty(100);
      const last = [sampler.rotate()];
      guilty(100);
      last.push(sampler.rotate());
      expect(guiltySamples(last)).toBeGreaterThan(10);
      // Without a title V8 ends the one that was begun last.
      if (title !== undefined) expect(finished).toContain(title);
      else expect(finished.length).toBeGreaterThan(0);
    } finally {
      session.disconnect();
    }
  });

  it('survives if the application ends each of its windows', () => {
    const profileEnd = inspector.console.profileEnd as (label?: string) => void;
    for (let turn = 0; turn < 3; turn++) {
      guilty(100);
      profileEnd();
      profileEnd();
      const { startedAt, endedAt } = sampler.rotate();
      expect(endedAt).toBeGreaterThan(startedAt);
    }
    guilty(100);
    expect(guiltySamples([sampler.rotate()])).toBeGreaterThan(3);
  });

  it('continues beside a capture on demand', async () => {
    const captured = new CpuCapture().capture(0.3);
    guilty(100);
    const window = sampler.rotate();
    guilty(100);
    expect(guiltySamples([window, sampler.rotate()])).toBeGreaterThan(10);
    expect(guiltySamples([await captured])).toBeGreaterThan(10);
    guilty(100);
    expect(guiltySamples([sampler.rotate()])).toBeGreaterThan(3);
  });

  it('can be restarted after a stop, and cannot be rotated while stopped', () => {
    sampler.stop();
    sampler.stop();
    expect(() => sampler.rotate()).toThrow('the sampler was not started');
    sampler.start();
    guilty(100);
    expect(guiltySamples([sampler.rotate()])).toBeGreaterThan(3);
  });
});
