import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository. This file runs as source and compiled. */
export const ROOT = ((): string => {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'test/support/child-app.ts'))) return folder;
    if (folder === dirname(folder)) throw new Error('The sources of the suite are not there');
  }
})();

/** Links the package into a compiled application, so that it loads it as an installed package. */
export function installLibrary(dist: string): void {
  const folder = process.env['NESTJS_PERFORMANCE'] ?? ROOT;
  const link = join(dist, 'node_modules/nestjs-performance');
  mkdirSync(dirname(link), { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) rmSync(link);
  symlinkSync(folder, link, 'junction');
}

/** The environment without the variables of Jest and npm. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_ENV: _env, ...rest } = process.env;
  return rest;
}

/** The first message of a process. Rejects if it ends instead. */
export async function firstMessage<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const { signal } = ended;
  const failed = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`${child.spawnargs.slice(1).join(' ')} ended with ${code}: is it built?`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal }), failed])) as [T];
    return message;
  } finally {
    failed.catch(() => {});
    ended.abort();
  }
}

/** Ends a process and waits until it has exited. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}
