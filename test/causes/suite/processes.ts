import { fork, spawn } from 'node:child_process';
import { join } from 'node:path';
import { end, firstMessage, installLibrary, plainEnvironment, ROOT } from '../../support/child-app';

const DIST = join(ROOT, 'test/causes/app/dist');
const APP = join(DIST, 'test/causes/app');

type Environment = Record<string, string>;

/** Starts the parts that applications use. */
export async function startParts(): Promise<{ env: Environment; stop(): Promise<void> }> {
  const child = fork(join(APP, 'parts/main.js'), { env: plainEnvironment() });
  const env = await firstMessage<Environment>(child);
  return { env, stop: () => end(child) };
}

/** Starts the application on these parts, with CPU profiles unless the environment says otherwise. */
export async function startApp(parts: Environment): Promise<{ url: string; stop(): Promise<void> }> {
  installLibrary(DIST);
  const child = fork(join(APP, 'main.js'), {
    cwd: ROOT,
    env: { OTEL_ENABLE_PROFILING: 'true', OTEL_PROFILE_SLOW: 'true', ...plainEnvironment(), ...parts },
  });
  const url = await firstMessage<string>(child);
  return { url, stop: () => end(child) };
}

/** Checks between its slices whether the harness still runs. */
const BURN = `process.once('disconnect', () => process.exit());
setInterval(() => { for (const end = Date.now() + 200; Date.now() < end; ); });`;

/** Starts a process that consumes CPU time. */
export function startBurner(): { stop(): Promise<void> } {
  const child = spawn(process.execPath, ['-e', BURN], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  return { stop: () => end(child) };
}
