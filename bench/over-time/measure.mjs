// Measures in its own process with a simulated clock. Arguments: operations, seed.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { runCooperatively } from '../../dist/modules/async/cooperative.js';
import { Baseline } from '../../dist/modules/baseline/baseline.js';
import { resolveOptions } from '../../dist/modules/monitor/resolve-options.js';
import { Statistics } from '../../dist/modules/statistics/statistics.js';

const [count, seed] = process.argv.slice(2).map(Number);
const MINUTE = 60_000;
const DAY_MINUTES = 24 * 60;
const PARTS = [1.5, -0, 0.5, -0, -0, -0, 1, 2];
const kept = [];
const random = mulberry(seed);
const directory = await mkdtemp(join(tmpdir(), 'nestjs-performance-bench-'));
const names = Array.from({ length: count }, (_, index) => `GET /api/resource-${index}/:id`);
const medians = names.map(() => 10 * 20 ** random());
const pool = Float64Array.from({ length: 1 << 14 }, () => Math.exp(0.5 * normal()));

try {
  // Warms up the compiler.
  day(serviceOf('0.9.0'));
  const first = serviceOf('1.0.0');
  const plainBytes = heldBy(() => day(plainOf(first)));
  const bytes = heldBy(() => day(first));
  await first.baseline.save();
  await setTimeout(5);
  const before = held();
  const second = serviceOf('1.1.0');
  await second.baseline.load();
  kept.push(day(second));
  const deployedBytes = (held() - before) / count;
  const idleMs = median(Array.from({ length: 20 }, () => timed(() => second.baseline.tick(second.now))));
  const [busy, slower, pauses] = [[], [], []];
  for (let round = 0; round < 5; round++) await minute(second, 1, (now) => sliced(second, now, busy, pauses));
  for (let round = 0; round < 12; round++) {
    await minute(second, 1.5, (now) => sliced(second, now, slower, pauses));
  }
  pauses.sort((a, b) => b - a);
  process.send({
    plainBytes,
    bytes,
    deployedBytes,
    idleMs,
    busyMs: median(busy),
    busiestMs: Math.max(...busy),
    slowerMs: Math.max(...slower),
    pauseMs: pauses[0],
    p99Ms: pauses[Math.floor(pauses.length / 100)],
  });
} finally {
  await rm(directory, { recursive: true, force: true });
}

function serviceOf(version) {
  const service = { now: Math.ceil(performance.now() / 10_000 + 1) * 10_000, drawn: 0 };
  service.baseline = new Baseline(
    resolveOptions({ baseline: { directory, warmUpSeconds: 0 } }).baseline,
    {
      service: 'bench',
      version,
      maxOperations: count,
      operations: () => service.statistics.withHistory(),
      thresholdOf: () => 1000,
      onRegression: () => {},
      onTrend: () => {},
      onError: (error) => {
        throw error;
      },
    },
    (message) => process.stderr.write(`${message}\n`),
  );
  service.statistics = new Statistics(count, (type, name) => service.baseline.historyOf(type, name));
  return service;
}

// The same without a history.
function plainOf({ now }) {
  return { now, drawn: 0, baseline: { tick() {} }, statistics: new Statistics(count) };
}

// One minute of each quarter of an hour: a day in some seconds.
function day(service) {
  for (let at = 0; at < DAY_MINUTES; at += 15) {
    service.now += 14 * MINUTE;
    minute(service, 1, (now) => service.baseline.tick(now));
  }
  return service;
}

function minute(service, factor, tick) {
  const slot = (index) => {
    if (index === 6) return undefined;
    for (let each = 0; each < 6; each++)
      for (let operation = 0; operation < count; operation++) {
        const ms = factor * medians[operation] * pool[service.drawn++ & 16383];
        service.statistics.record('http', names[operation], ms, false, false, service.now)?.addWork(PARTS, 3);
      }
    service.now += 10_000;
    const ticked = tick(service.now);
    return ticked === undefined ? slot(index + 1) : ticked.then(() => slot(index + 1));
  };
  return slot(0);
}

// Pauses: the times between two turns of the event loop.
async function sliced(service, now, ticks, pauses) {
  const began = performance.now();
  let last = began;
  let pending = setImmediate(function turn() {
    pauses.push(performance.now() - last);
    last = performance.now();
    pending = setImmediate(turn);
  });
  await runCooperatively(service.baseline.learner.ticking(now));
  pauses.push(performance.now() - last);
  clearImmediate(pending);
  ticks.push(performance.now() - began);
}

function heldBy(action) {
  const before = held();
  kept.push(action());
  return (held() - before) / count;
}

function held() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function timed(action) {
  const began = performance.now();
  action();
  return performance.now() - began;
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}

function normal() {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function mulberry(start) {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
