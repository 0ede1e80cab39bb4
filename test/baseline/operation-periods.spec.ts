import { describe, expect, it } from '@jest/globals';
import { decodeSnapshot, encodeSnapshot } from '../../lib/baseline/baseline-format.js';
import { mergeSnapshots } from '../../lib/baseline/baseline-merge.js';
import { type BaselineEntry, MAX_OPERATIONS } from '../../lib/baseline/baseline-snapshot.js';
import { planTidy } from '../../lib/baseline/baseline-tidy.js';
import { LatencySketch } from '../../lib/baseline/latency-sketch.js';
import { OperationPeriods, PERIOD_MS, sideOfPeriods } from '../../lib/baseline/operation-periods.js';
import { sideOfWindows } from '../../lib/baseline/side-of-windows.js';
import type { OperationWindow } from '../../lib/statistics/operation-window.js';
import { DAY, HOUR, MINUTE, randomOf, START, windowOf } from './programs/simulated-windows.js';
import { entry, snapshot } from './programs/snapshots.js';
import { SimulatedService } from './simulated-service.js';

const windows = (minutes: number, from = START, seed = 1): OperationWindow[] => {
  const random = randomOf(seed);
  const partsMs = [0, 0, 0, 0, 0, 0, 12, 0];
  return Array.from({ length: minutes }, (_, minute) =>
    windowOf(random, from + minute * MINUTE, MINUTE, 40, { errorRate: 0.05, partsMs }),
  );
};

function periodsOf(all: readonly OperationWindow[]): OperationPeriods {
  const periods = new OperationPeriods();
  for (const window of all) periods.add(window);
  return periods;
}

const withPeriods = (name: string, periods: OperationPeriods): BaselineEntry => ({
  ...entry(name),
  periods: periods.toBytes(),
});

function entryOf(entries: readonly BaselineEntry[], name: string): BaselineEntry | undefined {
  return entries.find((one) => one.name === name);
}

describe('OperationPeriods', () => {
  it('has the figures of its windows, period by period', () => {
    const all = windows(30);
    const list = periodsOf(all).list();
    expect(list.map(({ startedAt, endedAt }) => [startedAt, endedAt])).toEqual(
      [2, 1, 0].map((index) => [START + index * PERIOD_MS, START + (index + 1) * PERIOD_MS]),
    );
    const [side, expected] = [sideOfPeriods(list), sideOfWindows(all)];
    expect([side.count, side.errors]).toEqual([expected.count, expected.errors]);
    for (const measure of ['median', 'tail', 'statements', 'cpu'] as const) {
      expect(side[measure]?.n).toBe(30);
      expect(side[measure]?.mean).toBeCloseTo(expected[measure]?.mean as number, 5);
      expect(side[measure]?.variance).toBeCloseTo(expected[measure]?.variance as number, 5);
    }
    const last = sideOfWindows(all.slice(20));
    expect(list[0]?.side.median?.mean).toBeCloseTo(last.median?.mean as number, 5);
  });

  it('merges what is older than two hours into one period, and loses nothing', () => {
    const all = windows(600);
    const periods = periodsOf(all);
    const list = periods.list();
    expect(list).toHaveLength(13);
    expect(list.at(-1)).toMatchObject({ startedAt: START, endedAt: START + 8 * HOUR });
    expect(sideOfPeriods(list).count).toBe(600 * 40);
    expect(periods.toBytes().length).toBeLessThan(900);
    // A window that comes late is counted where it belongs.
    periods.add(all[0] as OperationWindow);
    expect(periods.list()).toHaveLength(13);
    expect(sideOfPeriods(periods.list()).count).toBe(601 * 40);
  });

  it('merges instances in any order', () => {
    const [one, other] = [windows(200), windows(200, START + HOUR, 2)];
    const forth = periodsOf(one);
    forth.merge(periodsOf(other));
    const back = periodsOf(other);
    back.merge(periodsOf(one));
    const list = forth.list();
    expect(list).toHaveLength(13);
    expect(sideOfPeriods(list).count).toBe(400 * 40);
    back.list().forEach((period, index) => {
      expect(period.side.count).toBe(list[index]?.side.count);
      expect(period.side.median?.mean).toBeCloseTo(list[index]?.side.median?.mean as number, 5);
    });
  });

  it('rejects bytes that are not its own', () => {
    const bytes = periodsOf(windows(30)).toBytes();
    expect(OperationPeriods.fromBytes(bytes).list()).toEqual(periodsOf(windows(30)).list());
    expect(() => OperationPeriods.fromBytes(bytes.subarray(0, -1))).toThrow('Invalid periods');
    expect(() => OperationPeriods.fromBytes(new Uint8Array(0))).toThrow('expected 64');
    const many = new Uint8Array(1 + 14 * 64);
    many[0] = 64;
    expect(() => OperationPeriods.fromBytes(many)).toThrow('received 14, expected at most 13');
    const negative = bytes.slice();
    new DataView(negative.buffer).setFloat32(1 + 2 * 4, -5, true);
    expect(() => OperationPeriods.fromBytes(negative)).toThrow('received -5, expected 0 or more');
  });
});

describe('stored periods', () => {
  it('are read as they were written, and ignored by releases that do not know them', async () => {
    const periods = periodsOf(windows(30));
    const text = await encodeSnapshot(
      snapshot({ operations: [withPeriods('GET /a', periods), entry('GET /b')] }),
    );
    const { operations } = decodeSnapshot(text);
    expect(operations.map(({ name }) => name)).toEqual(['GET /a', 'GET /b']);
    expect(entryOf(operations, 'GET /a')?.periods).toEqual(periods.toBytes());
    expect(entryOf(operations, 'GET /b')).not.toHaveProperty('periods');
    // What such a release does with the line: an entry whose sketch it cannot read is left out.
    const line = JSON.parse(text.split('\n')[3] as string) as unknown[];
    expect(line.slice(0, 3)).toEqual(['http', 'GET /a', 0]);
    expect(line).toHaveLength(5);
    expect(() => LatencySketch.fromBytes(Buffer.from(line[3] as string, 'base64'))).toThrow('format 64');
  });

  it('never displace operations', async () => {
    const bytes = periodsOf(windows(1)).toBytes();
    const operations = Array.from({ length: MAX_OPERATIONS - 2 }, (_, index) => ({
      ...entry(`GET /${index}`, 10, 1),
      periods: bytes,
    }));
    const read = decodeSnapshot(await encodeSnapshot(snapshot({ operations }))).operations;
    expect(read).toHaveLength(MAX_OPERATIONS - 2);
    expect(read.filter(({ periods }) => periods !== undefined)).toHaveLength(2);
  });

  it('are merged over instances and into archives, without those of another format', () => {
    const one = snapshot({ operations: [withPeriods('GET /a', periodsOf(windows(30)))] });
    const other = snapshot({
      instance: 'host-2-bb',
      operations: [withPeriods('GET /a', periodsOf(windows(20, START + HOUR)))],
    });
    const foreign = snapshot({
      instance: 'host-3-cc',
      operations: [{ ...entry('GET /a'), periods: new Uint8Array([65, 1]) }],
    });
    const options = { at: 2000, halfLifeMs: DAY };
    const merged = mergeSnapshots([one, other, foreign], options)[0]?.operations.get('http\nGET /a');
    const list = OperationPeriods.fromBytes(merged?.periods as Uint8Array).list();
    expect(sideOfPeriods(list).count).toBe(50 * 40);
    const tidied = planTidy([one, other], {
      now: 10 * DAY,
      staleMs: HOUR,
      maxAgeMs: 30 * DAY,
      halfLifeMs: DAY,
      maxVersions: 5,
    });
    expect(tidied.archives[0]?.operations[0]?.periods).toEqual(merged?.periods);
  });

  it('contain the windows of a suspected regression, which models leave out', async () => {
    const service = new SimulatedService({}, { version: '1.0.0' });
    const operation = {
      name: 'GET /a',
      perMinute: 60,
      medianMs: (minute: number) => (minute < 300 ? 20 : 60),
    };
    service.run(420, [operation]);
    expect(service.opened).not.toHaveLength(0);
    const [stored] = [...service.baseline.snapshot().operations];
    const list = OperationPeriods.fromBytes(stored?.periods as Uint8Array).list();
    expect(Math.exp(list[0]?.side.median?.mean as number)).toBeGreaterThan(50);
    expect(Math.exp(list.at(-1)?.side.median?.mean as number)).toBeLessThan(25);
    // 420 minutes, of which the last window may be open.
    expect(sideOfPeriods(list).count).toBeGreaterThan(418 * 60);
  });
});
