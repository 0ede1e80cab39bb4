// Blocks again and again within a second.
import { guiltyLoop, load, print, sleep } from './watchdog.mjs';

const EventLoopWatchdog = await load('esm');
const watchdog = new EventLoopWatchdog({ enabled: true, limitMs: 40 });
const blocks = [];
watchdog.onBlock((block) => blocks.push(block.stack !== undefined));
watchdog.start();
await sleep(300);
const from = performance.now();
for (let count = 0; count < 6; count++) {
  guiltyLoop(120);
  await sleep(10);
}
await sleep(60);
print({ seconds: (performance.now() - from) / 1000, blocks, status: watchdog.status });
