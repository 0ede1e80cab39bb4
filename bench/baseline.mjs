// The cost of saving and loading the baseline. Usage: node bench/baseline.mjs [--kill=TIMES]
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { encodeSnapshot } from '../dist/modules/baseline/baseline-format.js';
import { FileBaselineStore } from '../dist/modules/baseline/file-store.js';
import { LatencySketch } from '../dist/modules/baseline/latency-sketch.js';
import { BUCKETS, bucketOf } from '../dist/modules/inference/latency-histogram.js';
import { killWhileSaving } from './baseline/kill.mjs';
import { median, print, spread, table, verdict } from './support/figures.mjs';

const BUILT = fileURLToPath(new URL('../dist/modules', import.meta.url));

const ROUNDS = 15;
const OPERATIONS = 1000;
const kill = process.argv.find((argument) => argument.startsWith('--kill='));
const directory = await mkdtemp(join(tmpdir(), 'nestjs-performance-bench-'));
const store = new FileBaselineStore(directory, print);
try {
  await measure();
  if (kill !== undefined) {
    const times = Number(kill.slice('--kill='.length));
    const faults = await killWhileSaving({ built: BUILT, directory, store, times, seed: 1 });
    print([`Killed ${times} times while saving: ${faults.length} faults`, ...faults].join('\n'));
    if (faults.length > 0) process.exitCode = 1;
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function measure() {
  const sketches = Array.from({ length: OPERATIONS }, (_, index) => sketchOf(index));
  const model = new Uint8Array(600).fill(7);
  const snapshot = () => ({
    service: 'shop',
    version: '1.0.0',
    instance: 'host-1-aa',
    startedAt: 1,
    savedAt: Date.now(),
    absorbs: [],
    operations: (function* () {
      for (const [index, sketch] of sketches.entries())
        yield {
          type: 'http',
          name: `GET /orders/${index}`,
          count: sketch.count,
          sketch: sketch.toBytes(),
          model,
        };
    })(),
  });
  const [encode, save, pause, load, loadPause] = [[], [], [], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    let [began, longest] = [performance.now(), watchLoop()];
    await encodeSnapshot(snapshot());
    encode.push(performance.now() - began);
    longest();
    [began, longest] = [performance.now(), watchLoop()];
    await store.save(snapshot());
    save.push(performance.now() - began);
    pause.push(longest());
    [began, longest] = [performance.now(), watchLoop()];
    await store.load('shop');
    load.push(performance.now() - began);
    loadPause.push(longest());
  }
  const bytes = sketches.map((sketch) => sketch.toBytes().length);
  const { size } = await stat(join(directory, 'host-1-aa.baseline'));
  print(`${OPERATIONS} operations of 1,000 latencies each: median (min to max)`);
  table(
    ['operation', 'ms', 'longest pause, ms'],
    [
      ['encode', spread(encode), ''],
      ['encode and save', spread(save), spread(pause)],
      ['load', spread(load), spread(loadPause)],
    ],
  );
  print(
    `Bytes per sketch: ${spread(bytes, 0)}. Bytes of the file per operation: ${Math.round(size / OPERATIONS)}.`,
  );
  verdict('longest pause of a save', median(pause), 5, ' ms');
}

/** A sketch of 1,000 log-normal latencies of some milliseconds. */
function sketchOf(seed) {
  const counts = new Float64Array(BUCKETS);
  let state = seed + 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  for (let i = 0; i < 1000; i++) {
    const normal = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
    counts[bucketOf(12 * Math.exp(0.6 * normal))]++;
  }
  const sketch = new LatencySketch();
  sketch.add(counts);
  return sketch;
}

/** Measures the event loop. @returns a function that ends it and returns the longest time between two turns in ms */
function watchLoop() {
  let last = performance.now();
  let longest = 0;
  let going = true;
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (going) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    going = false;
    return Math.max(longest, performance.now() - last);
  };
}
