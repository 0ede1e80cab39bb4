// Blocks the loop in several ways, each in an operation of its own, and prints the blocks.
import { pbkdf2Sync } from 'node:crypto';
import { guiltyLoop, inOperation, load, print, sleep } from './watchdog.mjs';

const EventLoopWatchdog = await load(process.argv[2]);
const watchdog = new EventLoopWatchdog({ enabled: true, limitMs: 50 });

function guiltyNative() {
  let iterations = 100_000;
  // Long enough on any machine, and short on none by much.
  for (let took = 0; took < 300; iterations *= 2) {
    const before = performance.now();
    pbkdf2Sync('secret', 'salt', iterations, 64, 'sha512');
    took = performance.now() - before;
  }
}
function guiltyRegex() {
  for (let length = 22, took = 0; took < 300; length++) {
    const before = performance.now();
    /^(a+)+$/.test(`${'a'.repeat(length)}b`);
    took = performance.now() - before;
  }
}

const blocks = [];
watchdog.onBlock(() => {
  throw new Error('a fault of a listener');
});
watchdog.onBlock((block) => blocks.push(block));
watchdog.start();
await sleep(300);
const results = {};
for (const block of [() => guiltyLoop(300), guiltyNative, guiltyRegex]) {
  const name = block.name || 'guiltyLoop';
  await inOperation(name, async () => {
    await sleep(1);
    const from = performance.now();
    block();
    const to = performance.now();
    // In the same turn: the heartbeat has not seen the end yet.
    const [stall] = watchdog.stallsWithin(from, to);
    results[name] = { within: { from, to }, stall };
  });
  await sleep(1100);
}
print({ results, blocks, status: watchdog.status });
