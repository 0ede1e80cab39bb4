import { pbkdf2Sync } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const load = (path) => import(pathToFileURL(`${process.env.BUILT}/profiling/${path}`));
const { ProfileRing } = await load('profile-ring.js');
const { InspectorSampler } = await load('inspector-sampler.js');
export const { CpuCapture } = await load('cpu-capture.js');

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function guilty(ms) {
  const until = performance.now() + ms;
  // Calls, since V8 would take a mere loop into the code of its caller.
  while (performance.now() < until) pbkdf2Sync('password', 'salt', 500, 32, 'sha512');
}

/** A ring that runs, or not. */
export function startRing() {
  const ring = new ProfileRing({ intervalMs: 5, keepMs: 60_000, maxBytes: 1e7 }, new InspectorSampler(5));
  ring.start();
  return ring;
}

/** The samples of a function, and of what it calls, in what the ring keeps. */
function samplesIn(windows, name) {
  let count = 0;
  for (const { functions, nodeFunction, nodeParent, sampleNode } of windows)
    for (let node of sampleNode) {
      while (node >= 0 && functions[nodeFunction[node]].name !== name) node = nodeParent[node];
      if (node >= 0) count++;
    }
  return count;
}

/** Runs busy code, and counts the ring's samples of it: of this function, because V8 may inline `guilty`. */
export async function sampled(ring) {
  const from = performance.now();
  guilty(150);
  const to = performance.now();
  const settled = await ring.settled(to);
  return { settled, samples: samplesIn(ring.within(from, to), 'sampled') };
}

export async function until(condition) {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error('it did not come to hold');
    await sleep(20);
  }
}

// No timer of the profiler's keeps a process alive; the application does.
const application = setInterval(() => {}, 1000);
export function print(what) {
  clearInterval(application);
  process.stdout.write(`${JSON.stringify(what)}\n`);
}
export const post = (port, what) => {
  clearInterval(application);
  port.postMessage(what);
};
