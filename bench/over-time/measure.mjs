// Measures in a process of its own, whose clock is the bench's. Arguments: operations, seed.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { Baseline } from '../../dist/esm/baseline/baseline.js';
import { inSlices } from '../../dist/esm/baseline/baseline-slices.js';
import { Statistics } from '../../dist/esm/monitor/statistics.js';
import { resolveBaseline } from '../../dist/esm/options/baseline-options.js';

const [count, seed] = process.argv.slice(2).map(Number);
const MINUTE = 60_000;
const DAY_MINUTES = 24 * 60;
const PARTS = [1.5, -0, 0.5, -0, -0, -0, 1, 2];
const random = mulberry(seed);
const directory = await mkdtemp(join(tmpdir(), 'nestjs-performance-bench-'));
const names = Array.from({ length: count }, (_, index) => `GET /api/resource-${index}/:id`);
const medians = names.map(() => 10 * 20 ** random());
const pool = Float64Array.from({ length: 1 << 14 }, () => Math.exp(0.5 * normal()));

try {
  const first = serviceOf('1.0.0');
  const plainBytes = heldBy(() => day(first, true));
  await first.baseline.save();
  await setTimeout(5);
  const second = serviceOf('1.1.0');
  await second.baseline.load();
  const bytes = heldBy(() => day(second, false));
  const idle = median(Array.from({ length: 20 }, () => timed(() => second.baseline.tick((second.now += 10_000)))));
  const busy = [];
  for (let round = 0; round < 5; round++) {
    minute(second, 1);
    busy.push(timed(() => second.baseline.tick(second.now)));
  }
  const [slower, steps, pauses] = [[], [], []];
  for (let round = 0; round < 12; round++) {
    minute(second, 1.5);
    slower.push(await sliced(second, steps, pauses));
  }
  process.send({
    bytes,
    plainBytes,
    idleMs: idle,
    busyMs: median(busy),
    slowerMs: Math.max(...slower),
    stepMs: Math.max(...steps),
    pauseMs: Math.max(...pauses),
  });
} finally {
  await rm(directory, { recursive: true, force: true });
}

function serviceOf(version) {
  const service = { now: Math.ceil(performance.now() / 10_000 + 1) * 10_000, drawn: 0 };
  service.baseline = new Baseline(
    resolveBaseline({ directory, warmUpSeconds: 0 }),
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
  service.plain = new Statistics(count);
  return service;
}

// A window each half hour, and fewer at night: a day in some seconds.
function day(service, plainly) {
  for (let at = 0; at < DAY_MINUTES; at += 15) {
    service.now += 14 * MINUTE;
    minute(service, 1);
    service.baseline.tick(service.now);
  }
  return plainly;
}

function minute(service, factor) {
  const statistics = service.statistics;
  for (let slot = 0; slot < 6; slot++) {
    for (let each = 0; each < 6; each++)
      for (let index = 0; index < count; index++) {
        const ms = factor * medians[index] * pool[service.drawn++ & 16383];
        statistics.record('http', names[index], ms, false, false, service.now)?.addWork(PARTS, 3);
      }
    service.now += 10_000;
  }
}

async function sliced(service, steps, pauses) {
  const began = performance.now();
  let slice = began;
  const watched = setInterval(() => {}, 1);
  let last = performance.now();
  const immediate = () => {
    const now = performance.now();
    pauses.push(now - last);
    last = now;
    pending = setImmediate(immediate);
  };
  let pending = setImmediate(immediate);
  await inSlices(
    (function* () {
      const ticking = service.baseline.ticking(service.now);
      for (;;) {
        slice = performance.now();
        const { done } = ticking.next();
        steps.push(performance.now() - slice);
        if (done) return;
        yield;
      }
    })(),
  );
  clearImmediate(pending);
  clearInterval(watched);
  return performance.now() - began;
}

function heldBy(action) {
  const before = held();
  action();
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
