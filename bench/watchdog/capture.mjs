// Blocks the main thread by a loop that reads the clock, and sums up the times in which it did not run.
import { openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import './started.mjs';

const BLOCKS = 4;
/** An iteration takes much less than a microsecond. */
const GAP_MS = 0.1;

const buffer = Buffer.alloc(128);
let schedule;
try {
  schedule = openSync('/proc/self/schedstat');
} catch {
  // Not Linux: includes the time of other processes.
}

/** The total milliseconds that the main thread has waited for a CPU. */
function waitedMs() {
  if (schedule === undefined) return 0;
  const length = readSync(schedule, buffer, 0, buffer.length, 0);
  return Number(buffer.toString('latin1', 0, length).split(' ')[1]) / 1e6;
}

function block(ms) {
  let waited = waitedMs();
  let last = performance.now();
  const until = last + ms;
  let lost = 0;
  while (last < until) {
    const now = performance.now();
    const gap = now - last;
    last = now;
    if (gap < GAP_MS) continue;
    const before = waited;
    waited = waitedMs();
    lost += Math.max(0, gap - (waited - before));
    last = performance.now();
  }
  return lost;
}

// Shorter than the limit, so that the loop is compiled before the first capture.
block(60);
await sleep(1200);
const lost = [];
for (let count = 0; count < BLOCKS; count++) {
  lost.push(block(300));
  await sleep(1200);
}
process.send(lost);
