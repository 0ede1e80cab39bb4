// Many short tasks and timers for a second: nothing blocks for as long as the limit.
import { guiltyLoop, load, print, sleep } from './watchdog.mjs';

const EventLoopWatchdog = await load('esm');
const watchdog = new EventLoopWatchdog({ enabled: true, limitMs: 500 });
const blocks = [];
watchdog.onBlock((block) => blocks.push(block));
watchdog.start();
const until = performance.now() + 1500;
let tasks = 0;
const timers = Array.from({ length: 50 }, (_, index) => setInterval(() => guiltyLoop(0.2), 5 + index));
while (performance.now() < until) {
  guiltyLoop(2);
  tasks++;
  await new Promise(setImmediate);
}
timers.forEach(clearInterval);
await sleep(200);
print({ tasks, blocks, status: watchdog.status });
