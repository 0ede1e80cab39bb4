// The cost of watching: per window, per tick, and the memory per operation.
import { median, print, table, verdict } from '../support/figures.mjs';
import { Random } from './random.mjs';
import { DAY, MINUTE, profileOf, SimulatedOperation } from './simulated-operation.mjs';

const OPERATIONS = 1000;
const LEARNED = 120;
const TICKS = 60;
const START = 20_000 * DAY;

export function measureCost(library) {
  const { RegressionDetector, RegressionWatch, TrendDetector, WindowModel } = library;
  const random = new Random(3);
  const make = (index) => {
    const profile = profileOf(random, { perHour: 1800, medianMs: 80 });
    return {
      operation: new SimulatedOperation(profile, index, library),
      watched: {
        type: 'http',
        name: `GET /${index}`,
        model: new WindowModel(),
        detector: new RegressionDetector(START),
      },
      trend: new TrendDetector({ kind: 'operation', type: 'http', name: `GET /${index}` }, 'ms'),
    };
  };
  const all = Array.from({ length: OPERATIONS }, (_, index) => make(index));
  const watch = new RegressionWatch();
  const [calm, settled, changed, settledChanged, trends] = [[], [], [], [], []];
  const worst = { calm: 0, changed: 0 };
  for (let tick = 0; tick < LEARNED + 2 * TICKS; tick++) {
    const at = START + 10 * MINUTE + tick * MINUTE;
    const isChanged = tick >= LEARNED + TICKS;
    const windows = all.map(({ operation }) => {
      if (isChanged)
        Object.assign(operation, {
          change: { latency: 1.5, tail: 1, errors: 0.2, queries: 2 },
          changeAt: at,
        });
      return operation.window(at, tick > 30);
    });
    let slowest = 0;
    const before = performance.now();
    all.forEach(({ watched }, index) => {
      const from = performance.now();
      watch.observe(watched, { ...windows[index], startedAt: at, endedAt: at + MINUTE });
      slowest = Math.max(slowest, performance.now() - from);
    });
    const observed = performance.now();
    watch.settle(at + MINUTE);
    const done = performance.now();
    for (const [index, { trend }] of all.entries())
      trend.add(at, windows[index].meanMs, windows[index].count, 500);
    const ended = performance.now();
    if (tick < LEARNED) continue;
    worst[isChanged ? 'changed' : 'calm'] = Math.max(worst[isChanged ? 'changed' : 'calm'], slowest);
    (isChanged ? changed : calm).push(((observed - before) * 1000) / OPERATIONS);
    (isChanged ? settledChanged : settled).push(done - observed);
    trends.push(((ended - done) * 1000) / OPERATIONS);
  }
  const row = (what, values, unit) => [
    what,
    `${median(values).toFixed(2)} ${unit}`,
    `${Math.max(...values).toFixed(2)} ${unit}`,
  ];
  print(`\nWatching ${OPERATIONS} operations, each of which closes a window in every tick`);
  table(
    ['what', 'median tick', 'worst tick'],
    [
      row('observe, each, nothing changed', calm, 'us'),
      row('observe, each, all of them got worse', changed, 'us'),
      row('settle, nothing changed', settled, 'ms'),
      row('settle, all of them got worse', settledChanged, 'ms'),
      row('TrendDetector.add, each', trends, 'us'),
    ],
  );
  print(
    `The slowest single observe: ${worst.calm.toFixed(2)} ms calm, ${worst.changed.toFixed(2)} ms changed.`,
  );
  trendCost(TrendDetector);
  memory(library, all);
}

/** A full, rising series is the most expensive case. */
function trendCost(TrendDetector) {
  const trend = new TrendDetector({ kind: 'resource', name: 'rss' }, 'bytes');
  const random = new Random(5);
  const took = [];
  for (let at = START; at < START + 8 * DAY; at += 5 * MINUTE) {
    const from = performance.now();
    if (trend.add(at, 1e8 * (1 + (at - START) / (8 * DAY)) + 1e6 * random.normal(), 1))
      took.push(performance.now() - from);
  }
  const full = took.slice(-40);
  print(
    `A trend of 96 points that rises, evaluated: ${median(full).toFixed(2)} ms, every ${(trend.series.period / MINUTE).toFixed(0)} minutes.`,
  );
}

function memory({ RegressionDetector, TrendDetector, WindowModel }, all) {
  if (globalThis.gc === undefined) {
    print('Run with node --expose-gc to measure memory.');
    return;
  }
  const used = () => {
    globalThis.gc();
    globalThis.gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const { model, detector } = all[0].watched;
  const bytes = model.toBytes();
  const windows = Array.from({ length: 60 }, (_, at) => ({
    ...detector.ring.window(detector.ring.end - 1 - (at % 8)),
    startedAt: START + at * MINUTE,
    endedAt: START + (at + 1) * MINUTE,
  }));
  const kept = [];
  const sizes = {};
  let before = used();
  const weigh = (what, build) => {
    const list = Array.from({ length: 2000 }, build);
    kept.push(list);
    sizes[what] = (used() - before) / 2000;
    before = used();
  };
  weigh('WindowModel', () => WindowModel.fromBytes(bytes));
  weigh('RegressionDetector', () => {
    const one = new RegressionDetector(0);
    for (const window of windows) one.observe(window, model);
    return one;
  });
  weigh('TrendDetector', () => {
    const trend = new TrendDetector({ kind: 'resource', name: 'rss' }, 'bytes');
    for (let at = 0; at < 100; at++) trend.add(START + at * 5 * MINUTE, 100);
    return trend;
  });
  table(
    ['what', 'bytes'],
    Object.entries(sizes).map(([what, size]) => [what, size.toFixed(0)]),
  );
  const sum = Object.values(sizes).reduce((total, size) => total + size, 0);
  verdict('memory of model, detector and trend, of the 8 KB of an operation', sum / 1024, 6, ' KB');
  print(`A model is stored in ${bytes.length} bytes.`);
}
