// Timers that wait while a window is measured: what runs by time would fall into some windows and not into others.
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';

let isHeld = false;
const waiting = new Set();

function holdable(schedule) {
  const replacement = (callback, ms, ...args) => {
    const run = () => callback(...args);
    return schedule(() => (isHeld ? waiting.add(run) : run()), ms);
  };
  // `promisify` finds its variant here.
  return Object.defineProperties(replacement, Object.getOwnPropertyDescriptors(schedule));
}

for (const name of ['setTimeout', 'setInterval']) {
  timers[name] = holdable(timers[name]);
  globalThis[name] = timers[name];
}
syncBuiltinESMExports();

/** From now on, each timer that is due waits. */
export function hold() {
  isHeld = true;
}

/** Runs what has waited. */
export function release() {
  isHeld = false;
  for (const run of waiting) run();
  waiting.clear();
}
