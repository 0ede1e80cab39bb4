import { describe, expect, it } from '@jest/globals';
import type { Regression } from '../../lib/baseline/regression.js';
import { RegressionDetector } from '../../lib/baseline/regression-detector.js';
import { regressionSettings } from '../../lib/baseline/regression-settings.js';
import { RegressionWatch, type WatchedOperation } from '../../lib/baseline/regression-watch.js';
import { WindowModel } from '../../lib/baseline/window-model.js';
import type { OperationWindow } from '../../lib/statistics/operation-window.js';
import {
  type Behaviour,
  DAY,
  HOUR,
  MINUTE,
  randomOf,
  START,
  windowOf,
} from './programs/simulated-windows.js';

interface Course {
  seed?: number;
  /** Learned before, in hours, and watched, in hours. */
  learn?: number;
  hours?: number;
  lengthMs?: number;
  count?: number;
  /** What it is like at a moment; `change` is the hours since the end of learning, below 0 before. */
  like?(change: number, at: number): Behaviour;
  startedAt?: number;
  /** When the process starts again, with the model of before. */
  restartAt?: number;
  reference?: WindowModel;
}

/** Runs one operation by windows of equal length. */
function run({
  seed = 1,
  learn = 30,
  hours = 3,
  lengthMs = 4 * MINUTE,
  count = 40,
  like = () => ({}),
  startedAt = START - DAY,
  restartAt,
  reference,
}: Course) {
  const random = randomOf(seed);
  const [learned, learnedCoarse]: [OperationWindow[], OperationWindow[]] = [[], []];
  const operation: { -readonly [K in keyof WatchedOperation]: WatchedOperation[K] } = {
    type: 'http',
    name: 'GET /orders',
    detector: new RegressionDetector(startedAt),
    model: new WindowModel(),
    reference,
    learned: (window, _weight, scale) => (scale === 'fine' ? learned : learnedCoarse).push(window),
  };
  const watch = new RegressionWatch({}, { version: '2.0.0', previousVersion: '1.0.0' });
  const [opened, ended]: [Regression[], Regression[]] = [[], []];
  let newNormal = 0;
  const change = START + learn * HOUR;
  for (let at = START; at < change + hours * HOUR; at += lengthMs) {
    if (at === restartAt) operation.detector = new RegressionDetector(at);
    watch.observe(operation, windowOf(random, at, lengthMs, count, like((at - change) / HOUR, at)));
    const changes = watch.settle(at + lengthMs);
    opened.push(...changes.opened);
    ended.push(...changes.ended);
    newNormal += changes.newNormal.length;
    // As a baseline does: the current figures are learned again.
    if (changes.newNormal.length > 0) operation.model = new WindowModel();
  }
  return { opened, ended, newNormal, learned, learnedCoarse, watch, operation, change };
}
const changed = (before: Behaviour, since: Behaviour) => (change: number) =>
  change >= 0 ? { ...before, ...since } : before;

describe('RegressionWatch reports a regression', () => {
  it('of a median that rose by a fifth, within an hour, with when and how much', () => {
    const { opened, change, watch } = run({ learn: 72, like: changed({}, { medianMs: 120 }) });
    expect(opened.map(({ metric }) => metric)).toEqual(['latency']);
    const [found] = opened as [Regression];
    expect(found.detectedAt - change).toBeLessThan(HOUR);
    expect(Math.abs(found.since - change)).toBeLessThan(16 * MINUTE);
    expect(found.change).toBeGreaterThan(0.12);
    expect(found.change).toBeLessThan(0.3);
    expect(found.interval[0]).toBeLessThan(found.change);
    expect(found.interval[1]).toBeGreaterThan(found.change);
    expect(found).toMatchObject({ state: 'open', against: 'baseline', type: 'http', name: 'GET /orders' });
    expect(found.explanation).toMatch(
      /^GET \/orders has been \d+ % slower since \d\d:\d\d UTC: median [\d.]+ ms -> [\d.]+ ms, 95 % confidence interval \d+ % to/,
    );
    expect(watch.open).toHaveLength(1);
  });

  it('of half as much again, once it has lasted for half an hour', () => {
    const { opened, change } = run({ seed: 2, like: changed({}, { medianMs: 150 }) });
    expect(opened[0]?.metric).toBe('latency');
    expect((opened[0]?.detectedAt as number) - change).toBeGreaterThanOrEqual(30 * MINUTE);
    expect((opened[0]?.detectedAt as number) - change).toBeLessThanOrEqual(44 * MINUTE);
  });

  it('of a slow mode that became more frequent, though the median hardly moved', () => {
    const before = { slowShare: 0.1, sigma: 0.3 };
    const { opened } = run({ seed: 3, count: 100, like: changed(before, { slowShare: 0.3 }) });
    expect(opened[0]?.metric).toBe('latency');
    expect(opened[0]?.explanation).toMatch(/mean|p90/);
  });

  it('of a tail alone', () => {
    const { opened } = run({ seed: 4, learn: 48, count: 150, like: changed({}, { tail: 1.8 }) });
    expect(opened.map(({ metric }) => metric)).toEqual(['tail_latency']);
    expect(opened[0]?.explanation).toContain('has had a tail');
  });

  it('of errors and of statements', () => {
    const before = { errorRate: 0.01, queries: 4 };
    const { opened } = run({ seed: 5, like: changed(before, { errorRate: 0.08, queries: 9 }) });
    expect(opened.map(({ metric }) => metric).sort()).toEqual(['error_rate', 'queries']);
    const queries = opened.find(({ metric }) => metric === 'queries');
    expect(queries?.before).toBeCloseTo(4, 1);
    expect(queries?.now).toBeCloseTo(9, 0);
    expect(queries?.explanation).toContain('has made more statements since');
  });

  it('of a quarter, through noise that lasts for half an hour, within a day and once', () => {
    const random = randomOf(11);
    let level = 0;
    const { opened } = run({
      seed: 12,
      learn: 168,
      hours: 36,
      lengthMs: 5 * MINUTE,
      like: (change) => {
        const kept = Math.exp(-5 / 30);
        level = kept * level + Math.sqrt(1 - kept * kept) * 0.09 * random.normal();
        return { medianMs: (change >= 0 && change < 24 ? 125 : 100) * Math.exp(level) };
      },
    });
    expect(opened.map(({ metric }) => metric)).toEqual(['latency']);
  });

  it('of a service with twelve requests an hour, within days', () => {
    const like = changed({}, { medianMs: 170 });
    const { opened } = run({ seed: 13, learn: 240, hours: 48, lengthMs: 30 * MINUTE, count: 6, like });
    expect(opened.map(({ metric }) => metric)).toEqual(['latency']);
  });

  it('once, though it is nearly gone at times', () => {
    const like = (change: number): Behaviour => ({
      medianMs: change < 0 ? 100 : change % 3 < 0.3 ? 105 : 160,
    });
    expect(run({ seed: 14, hours: 20, like }).opened).toHaveLength(1);
  });

  it('of the part that grew', () => {
    const before = { partsMs: [40, 0, 0, 0, 0, 0, 50, 10] };
    const since = { medianMs: 160, partsMs: [100, 0, 0, 0, 0, 0, 50, 10] };
    const { opened } = run({ seed: 6, like: changed(before, since) });
    expect(opened[0]?.parts).toHaveLength(1);
    expect(opened[0]?.parts[0]?.part).toBe('database');
    expect(opened[0]?.explanation).toContain('Per operation: database 40 ms -> 100 ms, statements 4 -> 4.');
  });

  it('of a version that is slower than the last one from its first window on', () => {
    const reference = run({ seed: 7, hours: 0 }).operation.model;
    const { opened } = run({ seed: 8, learn: 0, hours: 4, reference, like: () => ({ medianMs: 140 }) });
    expect(opened[0]).toMatchObject({ against: 'version', version: '2.0.0', previousVersion: '1.0.0' });
    expect(opened[0]?.explanation).toContain('with version 2.0.0 (previous version 1.0.0)');
  });

  it('again after it was over: it came back', () => {
    const { opened, ended, watch } = run({
      seed: 9,
      hours: 14,
      like: (change) => ({ medianMs: (change >= 0 && change < 3) || change >= 10 ? 150 : 100 }),
    });
    expect(opened.map(({ metric }) => metric)).toEqual(['latency', 'latency']);
    expect(ended).toHaveLength(1);
    expect(ended[0]).toMatchObject({ state: 'over', id: opened[0]?.id });
    expect(opened[1]?.id).not.toBe(opened[0]?.id);
    expect(watch.open).toHaveLength(1);
  });

  it('once: after a day it is the new normal', () => {
    const { opened, ended, newNormal, watch } = run({
      seed: 10,
      hours: 30,
      lengthMs: 10 * MINUTE,
      like: changed({}, { medianMs: 150 }),
    });
    expect(opened).toHaveLength(1);
    expect(ended.map(({ state }) => state)).toEqual(['over']);
    expect((ended[0]?.overAt as number) - (ended[0]?.since as number)).toBeGreaterThanOrEqual(DAY);
    expect(newNormal).toBe(1);
    expect(watch.open).toHaveLength(0);
  });
});

describe('RegressionWatch reports nothing', () => {
  const silent = (course: Course): void => expect(run(course).opened).toEqual([]);

  it('where nothing changes', () => {
    for (let seed = 20; seed < 23; seed++) silent({ seed, learn: 24, hours: 12 });
  });

  it('of changes of less than a tenth, or of less than 2 ms', () => {
    silent({ seed: 30, hours: 4, like: changed({}, { medianMs: 106 }) });
    silent({ seed: 31, like: changed({ medianMs: 3 }, { medianMs: 4.5 }) });
  });

  it('of what became faster', () => {
    silent({ seed: 32, hours: 8, like: changed({}, { medianMs: 60 }) });
  });

  it('by windows of fewer than ten operations, which only count together', () => {
    const { opened, learned, learnedCoarse } = run({
      seed: 33,
      learn: 4,
      count: 9,
      like: changed({}, { medianMs: 300 }),
    });
    expect(opened).toEqual([]);
    expect(learned).toEqual([]);
    expect(learnedCoarse.every(({ count }) => count >= 30)).toBe(true);
  });

  it('with fewer than ten operations in six hours', () => {
    const like = changed({}, { medianMs: 1000 });
    const { opened, learnedCoarse } = run({ learn: 240, hours: 72, lengthMs: HOUR, count: 1, like });
    expect(opened).toEqual([]);
    expect(learnedCoarse).toEqual([]);
  });

  it('of bursts of twenty minutes: of latency, of errors', () => {
    const like =
      (burst: Behaviour) =>
      (change: number): Behaviour =>
        change > 0 && change % 6 < 1 / 3 ? burst : {};
    silent({ seed: 56, hours: 24, like: like({ medianMs: 400 }) });
    silent({ seed: 57, hours: 24, like: like({ errorRate: 0.5 }) });
    silent({ seed: 58, hours: 24, lengthMs: 12 * MINUTE, like: like({ medianMs: 400, errorRate: 0.5 }) });
  });

  it('of caches that fill within an hour of a start', () => {
    const startedAt = START + 72 * HOUR;
    const like = (change: number): Behaviour => ({
      medianMs: change < 0 ? 100 : 100 * (1 + 2 * Math.exp(-4 * change)),
    });
    const { opened } = run({
      seed: 59,
      learn: 72,
      hours: 12,
      startedAt: START - DAY,
      restartAt: startedAt,
      like,
    });
    expect(opened).toEqual([]);
  });

  it('with little traffic that scatters', () => {
    for (let seed = 34; seed < 37; seed++)
      silent({ seed, learn: 48, hours: 72, lengthMs: 30 * MINUTE, count: 12, like: () => ({ sigma: 1.2 }) });
  });

  it('of two modes', () => {
    for (let seed = 40; seed < 42; seed++)
      silent({ seed, learn: 24, hours: 12, like: () => ({ slowShare: 0.4, sigma: 0.4 }) });
  });

  it('of the hours of a day, of which it has seen two', () => {
    const like = (_: number, at: number): Behaviour => ({
      medianMs: 100 * (1 + 0.3 * Math.sin((2 * Math.PI * at) / DAY)),
    });
    for (let seed = 45; seed < 47; seed++)
      silent({ seed, learn: 48, hours: 24, lengthMs: 20 * MINUTE, like });
  });

  it('of a cold start, which is not learned either', () => {
    const startedAt = START + 30 * HOUR;
    const like = (change: number): Behaviour => ({ medianMs: change < 4 / 60 && change >= 0 ? 400 : 100 });
    const { opened, learned } = run({ seed: 48, startedAt, like, lengthMs: MINUTE });
    expect(opened).toEqual([]);
    expect(learned.every((window) => window.startedAt >= startedAt + 5 * MINUTE)).toBe(true);
  });

  it('of a mix of traffic that wanders', () => {
    const like = (change: number): Behaviour => ({ slowShare: 0.2 + 0.05 * Math.sin(change / 2) });
    for (let seed = 50; seed < 52; seed++)
      silent({ seed, learn: 48, hours: 24, lengthMs: 20 * MINUTE, like });
  });

  it('of single windows that are far off', () => {
    let at = 0;
    silent({ seed: 54, hours: 24, like: () => ({ medianMs: ++at % 60 === 0 ? 1000 : 100 }) });
  });

  it('before there is a model', () => {
    silent({ seed: 55, learn: 1, hours: 2, lengthMs: 10 * MINUTE, like: changed({}, { medianMs: 400 }) });
  });
});

describe('RegressionWatch learns', () => {
  it('each window once and in order, some windows later', () => {
    const { learned, operation } = run({ seed: 60, hours: 1 });
    const starts = learned.map(({ startedAt }) => startedAt);
    expect(new Set(starts).size).toBe(starts.length);
    expect([...starts].sort((a, b) => a - b)).toEqual(starts);
    const { end, first } = operation.detector.ring;
    expect(learned.length).toBeLessThanOrEqual(end - 6);
    expect(learned.length).toBeGreaterThanOrEqual(first);
  });

  it('nothing of what is open', () => {
    const { learned, change } = run({ seed: 61, like: changed({}, { medianMs: 200 }) });
    expect(Math.max(...learned.map(({ startedAt }) => startedAt))).toBeLessThan(change + 10 * MINUTE);
  });
});

describe('RegressionWatch is bounded', () => {
  it('follows at most 2,000 suspicions', () => {
    const random = randomOf(70);
    const model = new WindowModel();
    for (let at = START; at < START + 3 * DAY; at += 10 * MINUTE)
      model.add(windowOf(random, at, 10 * MINUTE, 30));
    const watch = new RegressionWatch();
    const slow = Array.from({ length: 5 }, (_, at) =>
      windowOf(random, START + 3 * DAY + at * 10 * MINUTE, 10 * MINUTE, 30, { medianMs: 1000 }),
    );
    const operations = Array.from({ length: 2010 }, (_, index) => ({
      type: 'http',
      name: `GET /${index}`,
      model,
      detector: new RegressionDetector(0),
      learned: () => undefined,
    }));
    for (const window of slow) {
      for (const operation of operations) watch.observe(operation, window);
      watch.settle(window.endedAt);
    }
    expect(watch.open).toHaveLength(2000);
  });
});

describe('regressionSettings', () => {
  it('fills in what was left out, and names the fault', () => {
    expect(regressionSettings({ minEffect: 0.2 })).toMatchObject({ minEffect: 0.2, minEffectMs: 2 });
    expect(() => regressionSettings({ minEffect: -1 })).toThrow(
      'Invalid minEffect: received -1, expected a number of 0 or more',
    );
    expect(() => regressionSettings({ minCount: Number.NaN })).toThrow('Invalid minCount: received NaN');
  });
});
