import { describe, expect, it } from '@jest/globals';
import { WindowModel } from '../../lib/baseline/window-model.js';
import { RING_WINDOWS, WindowRing } from '../../lib/baseline/window-ring.js';
import { DAY, HOUR, MINUTE, randomOf, START, windowOf } from './programs/simulated-windows.js';

function learned(seed: number, days = 2, perWindow = 40, medianMs = 100): WindowModel {
  const random = randomOf(seed);
  const model = new WindowModel();
  for (let at = START; at < START + days * DAY; at += 10 * MINUTE) {
    const season = 1 + 0.3 * Math.sin((2 * Math.PI * at) / DAY);
    model.add(
      windowOf(random, at, 10 * MINUTE, perWindow, {
        medianMs: medianMs * season,
        partsMs: [60, 0, 0, 0, 0, 0, 30, 10],
      }),
    );
  }
  return model;
}
const figures = (model: WindowModel): number[] => [
  model.weight,
  model.expectation('mean_log', START + 6.5 * HOUR),
  model.expectation('p99', START + 18.5 * HOUR),
  model.spread('p50'),
  model.spreadAt('mean_log', 10),
  model.varianceOfMean(4),
  model.dispersion('over_p99'),
  ...(model.parts ?? []),
];
const merged = (...models: WindowModel[]): WindowModel => {
  const sum = new WindowModel();
  for (const model of models) sum.merge(model);
  return sum;
};
const expectSame = (a: WindowModel, b: WindowModel, digits = 4): void =>
  figures(a).forEach((figure, index) => {
    expect(figure).toBeCloseTo(figures(b)[index] as number, digits);
  });

describe('WindowModel', () => {
  const [a, b, c] = [learned(1), learned(2, 1, 60, 140), learned(3, 3, 30, 90)];

  it('merges in any order', () => {
    expectSame(merged(a, b), merged(b, a));
    expectSame(merged(merged(a, b), c), merged(a, merged(b, c)));
    expectSame(merged(a), a);
    expect(merged(a, b, c).weight).toBeCloseTo(a.weight + b.weight + c.weight, 6);
  });

  it('comes back from its bytes', () => {
    const bytes = merged(a, b).toBytes();
    expectSame(WindowModel.fromBytes(bytes), merged(a, b));
    expect(WindowModel.fromBytes(bytes).toBytes()).toEqual(bytes);
    expect(bytes.length).toBe(new WindowModel().toBytes().length);
    expect(bytes.length).toBeLessThan(1024);
  });

  it('reads bytes of format 2, which had no coarse windows', () => {
    const coarse = new WindowModel(true);
    const length = a.toBytes().length - (coarse.toBytes().length - 1);
    const bytes = a.toBytes().slice(0, length);
    bytes[0] = 2;
    expectSame(WindowModel.fromBytes(bytes), a);
    expect(WindowModel.fromBytes(bytes).coarse?.weight).toBe(0);
  });

  it('keeps coarse windows when it is stored, packed, merged and decayed', () => {
    const model = learned(6, 1);
    const window = windowOf(randomOf(7), START, 20 * MINUTE, 30);
    for (let at = 0; at < 4; at++) model.coarse?.add(window);
    const copies = [
      WindowModel.fromBytes(model.toBytes()),
      WindowModel.unpack(model.pack()),
      merged(model),
      // Their coarse windows were not asked for before.
      WindowModel.unpack(WindowModel.unpack(model.pack()).pack()),
      WindowModel.fromBytes(WindowModel.unpack(model.pack()).toBytes()),
      merged(WindowModel.unpack(model.pack())),
    ];
    for (const copy of copies) {
      expect(copy.coarse?.weight).toBe(4);
      expect(copy.coarse?.expectation('mean_log', START)).toBeCloseTo(window.meanLog, 4);
      copy.decay(0.5);
      expect(copy.coarse?.weight).toBe(2);
    }
  });

  it('refuses bytes that it did not write', () => {
    const bytes = a.toBytes();
    expect(() => WindowModel.fromBytes(new Uint8Array(0))).toThrow(
      'Invalid model: received format none, expected 3',
    );
    expect(() => WindowModel.fromBytes(bytes.map((byte, at) => (at === 0 ? 9 : byte)))).toThrow(
      'Invalid model: received format 9',
    );
    expect(() => WindowModel.fromBytes(bytes.slice(0, -1))).toThrow(`expected ${bytes.length}`);
    const view = new DataView(bytes.buffer);
    view.setFloat32(1, Number.NaN, true);
    expect(() => WindowModel.fromBytes(bytes)).toThrow(
      'Invalid model: received NaN, expected finite numbers',
    );
    view.setFloat32(1, -1, true);
    expect(() => WindowModel.fromBytes(bytes)).toThrow(
      'Invalid model: received a weight of -1, expected 0 or more',
    );
  });

  it('grows old: less weight, the same figures', () => {
    const old = WindowModel.fromBytes(a.toBytes());
    old.decay(0.5);
    expect(old.weight).toBeCloseTo(a.weight / 2, 3);
    expect(old.expectation('p50', START)).toBeCloseTo(a.expectation('p50', START), 1);
    expect(old.parts).toEqual(WindowModel.fromBytes(a.toBytes()).parts);
    old.decay(0);
    expect(old.weight).toBe(0);
    expect(old.expectation('mean_log', START)).toBeNaN();
  });

  it('knows the hours of the day', () => {
    const model = learned(4, 4);
    const [high, low] = [6.5, 18.5].map((hour) =>
      Math.exp(model.expectation('mean_log', START + hour * HOUR)),
    );
    expect(high).toBeGreaterThan(118);
    expect(low).toBeLessThan(82);
    expect(model.unknownSeason(START)).toBeLessThan(0.2);
    expect(new WindowModel().unknownSeason(START)).toBe(1);
  });

  it('sees how noise lasts', () => {
    const random = randomOf(5);
    const [own, lasting] = [new WindowModel(), new WindowModel()];
    let level = 0;
    for (let at = START; at < START + 6 * DAY; at += 10 * MINUTE) {
      level = 0.95 * level + 0.3 * 0.2 * random.normal();
      own.add(windowOf(random, at, 10 * MINUTE, 40));
      lasting.add(windowOf(random, at, 10 * MINUTE, 40, { medianMs: 100 * Math.exp(level) }));
    }
    expect(16 * own.varianceOfMean(16)).toBeLessThan(2.5);
    expect(16 * lasting.varianceOfMean(16)).toBeGreaterThan(5);
    expect(own.varianceOfMean(3)).toBeLessThan(own.varianceOfMean(2));
    expect(own.varianceOfMean(48)).toBe(own.varianceOfMean(32));
  });

  it('has a spread of at least 3 %, and NaN for unknown metrics', () => {
    const model = new WindowModel();
    expect(model.expectation('p50', START)).toBeNaN();
    expect(model.spread('p50')).toBe(0.03);
    const window = windowOf(randomOf(1), START, MINUTE, 30);
    for (let at = 0; at < 50; at++) model.add(window);
    expect(model.spread('p50')).toBe(0.03);
    model.add({ ...window, count: 0 });
    model.add(window, 0);
    expect(model.weight).toBe(50);
  });
});

describe('WindowRing', () => {
  it('keeps the last windows, and the parts of the very last', () => {
    const ring = new WindowRing();
    const random = randomOf(6);
    const windows = Array.from({ length: 3 * RING_WINDOWS }, (_, at) =>
      windowOf(random, START + at * MINUTE, MINUTE, 30, {
        errorRate: 0.1,
        partsMs: [at, 0, 0, 0, 0, 0, 1, 1],
      }),
    );
    for (const window of windows) ring.push(window);
    expect(ring.end).toBe(3 * RING_WINDOWS);
    expect(ring.first).toBe(2 * RING_WINDOWS);
    for (let at = ring.first; at < ring.end; at++) {
      const [kept, given] = [ring.window(at), windows[at]];
      expect(kept.startedAt).toBe(given?.startedAt);
      expect(kept.endedAt).toBe(given?.endedAt);
      expect(kept.count).toBe(given?.count);
      expect(kept.errors).toBe(given?.errors);
      expect(kept.overP99).toBe(given?.overP99);
      expect(Math.abs(Math.log(kept.p50Ms / (given?.p50Ms as number)))).toBeLessThan(0.01);
    }
    expect(ring.window(ring.end - 1).partsMs?.[0]).toBeCloseTo(3 * RING_WINDOWS - 1, 0);
    expect(ring.window(ring.first).partsMs).toBeUndefined();
  });

  it('has no more than its windows at first', () => {
    const ring = new WindowRing();
    expect([ring.first, ring.end]).toEqual([0, 0]);
    ring.push({ ...windowOf(randomOf(7), START, MINUTE, 30), overP99: Number.NaN });
    expect([ring.first, ring.end]).toEqual([0, 1]);
    expect(ring.window(0).overP99).toBeNaN();
    expect(ring.window(0).partsMs).toBeUndefined();
  });
});
