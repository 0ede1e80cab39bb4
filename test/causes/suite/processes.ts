import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository: this file runs from its source and from where it is compiled to. */
export const ROOT = ((): string => {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'test/causes/app/main.ts'))) return folder;
    if (folder === dirname(folder)) throw new Error('The sources of the suite are not there');
  }
})();
const DIST = join(ROOT, 'test/causes/app/dist');
const APP = join(DIST, 'test/causes/app');

type Environment = Record<string, string>;

/** Starts the parts that applications stand on. */
export async function startParts(): Promise<{ env: Environment; stop(): Promise<void> }> {
  const child = fork(join(APP, 'parts/main.js'), { env: plainEnvironment() });
  const env = await firstMessage<Environment>(child);
  return { env, stop: () => end(child) };
}

/** Starts the application on these parts, with CPU profiles unless the environment says otherwise. */
export async function startApp(parts: Environment): Promise<{ url: string; stop(): Promise<void> }> {
  installLibrary();
  const child = fork(join(APP, 'main.js'), {
    cwd: ROOT,
    env: { OTEL_ENABLE_PROFILING: 'true', OTEL_PROFILE_SLOW: 'true', ...plainEnvironment(), ...parts },
  });
  const url = await firstMessage<string>(child);
  return { url, stop: () => end(child) };
}

/** Looks between its stretches whether the harness is still there. */
const BURN = `process.once('disconnect', () => process.exit());
setInterval(() => { for (const end = Date.now() + 200; Date.now() < end; ); });`;

/** Starts a process that does nothing but take CPU time. */
export function startBurner(): { stop(): Promise<void> } {
  const child = spawn(process.execPath, ['-e', BURN], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  return { stop: () => end(child) };
}

/** The application has the package as one that is installed beside it, as a user's has. */
function installLibrary(): void {
  const folder = process.env['NESTJS_PERFORMANCE'] ?? ROOT;
  const link = join(DIST, 'node_modules/nestjs-performance');
  mkdirSync(dirname(link), { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) rmSync(link);
  symlinkSync(folder, link, 'junction');
}

/** What Jest and npm put into the environment is not the application's. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_ENV: _env, ...rest } = process.env;
  return rest;
}

async function firstMessage<T>(child: ChildProcess): Promise<T> {
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

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}
