// Each figure is measured in its own process, so that variants do not share compiled code.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Starts a script with a channel to it. Its path is relative to `bench/`. */
export function start(script, args = [], execArgv = []) {
  return fork(fileURLToPath(new URL(`../${script}`, import.meta.url)), args, { execArgv });
}

/** The next message of a process. Rejects if it ends instead. */
export async function answer(child) {
  const ended = new AbortController();
  const { signal } = ended;
  try {
    const failed = once(child, 'exit', { signal }).then(([code]) => {
      throw new Error(`${child.spawnargs.slice(1).join(' ')} ended with ${code}`);
    });
    const [message] = await Promise.race([once(child, 'message', { signal }), failed]);
    return message;
  } finally {
    ended.abort();
  }
}

/** Ends a process and waits until it has exited, so that it does not disturb the next one. */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}

/** Runs a script that sends one message. */
export async function run(script, args = [], execArgv = []) {
  const child = start(script, args, execArgv);
  try {
    return await answer(child);
  } finally {
    await stop(child);
  }
}

/** The variants of a round, starting with a different one in each round. */
export function rotated(variants, round) {
  return variants.map((_, index) => variants[(index + round) % variants.length]);
}
