// What the programs share: the watchdog of a build, a runtime that names the active operation, and ways to block.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const path = (build) => join(process.env.WATCHDOG, build, 'process', 'event-loop-watchdog.js');

export const load = async (build) =>
  build === 'cjs'
    ? createRequire(import.meta.url)(path(build)).EventLoopWatchdog
    : (await import(pathToFileURL(path(build)).href)).EventLoopWatchdog;

const active = new AsyncLocalStorage();
const runtime = { activeOperation: () => active.getStore() ?? '' };
globalThis[Symbol.for('nestjs-performance.runtime')] = () => runtime;

export const inOperation = (name, callback) => active.run(JSON.stringify({ type: 'method', name }), callback);

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function guiltyLoop(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until);
  // Its time may pass while it has no CPU: a stack that was requested meanwhile is captured here, not in the code that follows.
  for (let turn = 0; turn < 1000; turn++);
}

export const print = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
