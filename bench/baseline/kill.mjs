// Repeatedly kills a process while it saves, and checks the files that it leaves.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('save-forever.mjs', import.meta.url));

/**
 * @param built the folder with baseline/file-store.js
 * @param store the store that the processes use
 * @returns the faults, one line each
 */
export async function killWhileSaving({ built, directory, store, times, seed }) {
  const faults = [];
  let state = seed;
  for (let round = 0; round < times; round++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const instance = `run-${round % 3}`;
    await store.remove('shop', instance);
    const child = fork(PROGRAM, [built, directory, instance], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    let reported = 0;
    child.on('message', (saved) => {
      reported = saved;
    });
    await once(child, 'message');
    await setTimeout((state / 2 ** 32) * 40);
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
    const found = (await store.load('shop')).find((one) => one.instance === instance);
    // The message about the last save may have been lost with the process.
    if (found === undefined) faults.push(`round ${round}: nothing is there after save ${reported}`);
    else if (found.savedAt < reported || found.savedAt > reported + 2)
      faults.push(`round ${round}: save ${found.savedAt} is there after save ${reported}`);
    else if (found.operations.length !== 200 || found.operations.some(({ count }) => count !== found.savedAt))
      faults.push(`round ${round}: save ${found.savedAt} is not whole`);
  }
  return faults;
}
