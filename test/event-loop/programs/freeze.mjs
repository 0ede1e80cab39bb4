// Is stopped as a whole for a while, as a container is that is frozen, and blocks after that.
import { spawn } from 'node:child_process';
import { guiltyLoop, load, print, sleep } from './watchdog.mjs';

const EventLoopWatchdog = await load('esm');
const watchdog = new EventLoopWatchdog({ enabled: true, limitMs: 100 });
const blocks = [];
watchdog.onBlock((block) => blocks.push(block));
watchdog.start();
await sleep(300);
const from = performance.now();
const stopped = `kill -STOP ${process.pid}; sleep 0.8; kill -CONT ${process.pid}`;
await new Promise((resolve) => spawn('sh', ['-c', stopped], { stdio: 'ignore' }).once('exit', resolve));
const frozenMs = performance.now() - from;
await sleep(200);
const frozen = blocks.length;
guiltyLoop(400);
await sleep(100);
print({ frozenMs, frozen, after: blocks.length - frozen, status: watchdog.status });
