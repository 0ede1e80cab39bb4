// Blocks where a stack cannot be had: with an inspector attached, without SharedArrayBuffer, in a worker thread.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { guiltyLoop, load, print, sleep } from './watchdog.mjs';

const [, , how] = process.argv;
if (how === 'no-shared-memory') delete globalThis.SharedArrayBuffer;
if (how === 'worker' && isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { argv: [how] });
  worker.once('message', print);
} else {
  const EventLoopWatchdog = await load('esm');
  const watchdog = new EventLoopWatchdog({ enabled: true, limitMs: 50 });
  const blocks = [];
  watchdog.onBlock((block) => blocks.push(block));
  watchdog.start();
  await sleep(300);
  guiltyLoop(250);
  await sleep(100);
  const { status } = watchdog;
  watchdog.stop();
  const what = { blocks: blocks.map(({ stack }) => stack !== undefined), status };
  if (parentPort === null) print(what);
  else parentPort.postMessage(what);
}
