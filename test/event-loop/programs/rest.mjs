// Blocks while the heartbeat rests: of what nothing measures, at several moments of its interval, and of what wakes it.
import { guiltyLoop, load, print, sleep } from './watchdog.mjs';

const EventLoopWatchdog = await load('esm');
const watchdog = new EventLoopWatchdog({ enabled: true, limitMs: 100 });
const reported = [];
watchdog.onBlock((block) => reported.push(block));
watchdog.start();
const heartbeat = globalThis[Symbol.for('nestjs-performance.heartbeat')]();
let runs = false;
heartbeat.isNeeded = () => runs;
// Loading blocked the loop.
await sleep(300);
reported.length = 0;

/** At different moments of the interval between two beats. */
async function rest(phase) {
  while (!heartbeat.isResting) await sleep(20);
  await sleep(phase * 19);
}

async function block(ms, atEnd = () => {}) {
  const from = performance.now();
  guiltyLoop(ms);
  atEnd();
  const within = { from, to: performance.now() };
  await sleep(60);
  const [stall] = watchdog.stallsWithin(within.from, within.to);
  return { within, stall };
}

const unmeasured = [];
for (let phase = 0; phase < 6; phase++) {
  await rest(phase);
  unmeasured.push(await block(160));
}
// Something starts at the end of a block: the block remains one.
await rest(0);
const wokenLate = await block(160, () => heartbeat.wake());
const blocks = reported.splice(0).length;

const woken = [];
for (let phase = 0; phase < 6; phase++) {
  await rest(phase);
  runs = true;
  heartbeat.wake();
  woken.push(await block(160));
  runs = false;
}

// Short pieces without rest, right after the longest rest.
await rest(0);
heartbeat.quietSince -= 60_000;
await sleep(1000);
// The thread looks when a beat would be overdue: it must know of the last one.
for (const { beatAt } = heartbeat; heartbeat.beatAt === beatAt; ) await sleep(20);
await sleep(40);
runs = true;
heartbeat.wake();
const from = performance.now();
while (performance.now() < from + 300) {
  guiltyLoop(5);
  await new Promise(setImmediate);
}
const moments = watchdog.momentsWithin(from, performance.now());
runs = false;

reported.length = 0;
await rest(50);
print({ unmeasured: [...unmeasured, wokenLate], woken, blocks, moments, falseBlocks: reported.length });
watchdog.stop();
