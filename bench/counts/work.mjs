// Counts what each kind of work costs in this process, and sends it. V8 must not optimize: what it optimizes, and when, depends
// on the time that other programs leave. Arguments: `express` or `fastify`, `bare` or `ours`, then routes of application.mjs

import { statSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import { hold, release } from './timers.mjs';

// The package takes its timers from `node:timers`, which the import above has replaced.
const { PIECES, start } = await import('./application.mjs');
const { connect } = await import('./client.mjs');

const [framework, variant, ...routes] = process.argv.slice(2);
const isOurs = variant === 'ours';
const WARM_UP = 150;
const REPETITIONS = 5;
/** Requests before each repetition: what rests without traffic is awake then. */
const AWAKENING = 10;
const DIST = new URL('../../dist/', import.meta.url).href;

let collections = 0;
new PerformanceObserver((list) => (collections += list.getEntries().length)).observe({ entryTypes: ['gc'] });

const session = new Session();
session.connect();
await session.post('Profiler.enable');

async function startCountingCalls() {
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
}

/** The scripts that ran since the last time. */
async function takeScripts() {
  const { result } = await session.post('Profiler.takePreciseCoverage');
  return result;
}

/** How often functions of this package were called. */
function callsIn(scripts) {
  const functions = scripts.filter(({ url }) => url.startsWith(DIST)).flatMap((script) => script.functions);
  return functions.reduce((sum, { ranges }) => sum + ranges[0].count, 0);
}

/** Bytes of new objects: they only grow until a collection. */
function allocated() {
  const spaces = getHeapSpaceStatistics().filter(({ space_name }) => space_name.startsWith('new_'));
  return spaces.reduce((sum, { space_used_size }) => sum + space_used_size, 0);
}

await startCountingCalls();
const ours = isOurs ? await import('nestjs-performance') : undefined;
const { port, counted } = await start(framework, ours);
const startScripts = await takeScripts();
const startFiles = startScripts.map(({ url }) => url).filter((url) => url.startsWith('file:'));
await session.post('Profiler.stopPreciseCoverage');
if (isOurs) leaveOutMeter();

/** How many of its own calls the package measures depends on the time that they take. */
function leaveOutMeter() {
  const meter = globalThis[Symbol.for('nestjs-performance.meter')]();
  meter.interval = Number.MAX_SAFE_INTEGER;
  meter.adapt = () => {};
}

const ask = await connect(port);
let expected = 0;
async function request(route, times) {
  expected += times * (route === 'nothing' ? 1 : 1 + PIECES);
  await ask(`/${route}`, times);
}

/** The least of several repetitions of a figure per request, for each route: what else runs in the process only adds to it. */
async function perRequest(times, read) {
  const least = Object.fromEntries(routes.map((route) => [route, Number.POSITIVE_INFINITY]));
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    for (const route of routes) {
      globalThis.gc();
      // Runs what was delayed, and delivers the events of the collection.
      await sleep(20);
      await request(route, AWAKENING);
      hold();
      const collectionsBefore = collections;
      const before = await read();
      // Whatever else runs within the window is a larger part of so little work.
      const requests = route === 'nothing' ? 4 * times : times;
      await request(route, requests);
      const figure = ((await read()) - before) / requests;
      release();
      await sleep(1);
      if (collections === collectionsBefore) least[route] = Math.min(least[route], figure);
    }
  }
  return least;
}

for (const route of routes) await request(route, WARM_UP);
const bytes = await perRequest(50, async () => allocated());
let calls;
if (isOurs) {
  await startCountingCalls();
  let total = 0;
  calls = await perRequest(20, async () => {
    total += callsIn(await takeScripts());
    return total;
  });
  // The package counts the connection to the database, too.
  const operations = counted();
  if (operations < expected || operations > expected + 9)
    throw new Error(`${operations} of ${expected} operations were counted`);
}
const atStart = {
  files: startFiles.length,
  bytes: startFiles.reduce((sum, url) => sum + statSync(new URL(url)).size, 0),
  calls: callsIn(startScripts),
};
process.send({ atStart, bytes, calls, pieces: PIECES }, () => process.exit());
