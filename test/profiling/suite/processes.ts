import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { end, firstMessage, installLibrary, plainEnvironment, ROOT } from '../../support/child-app';

const DIST = join(ROOT, 'test/profiling/app/dist');

/** An application whose guilty functions are known, with profiles in a directory of its own. */
export interface GuiltyApp {
  readonly url: string;
  readonly directory: string;
  stop(): Promise<void>;
}

export async function startGuiltyApp(env: Record<string, string> = {}): Promise<GuiltyApp> {
  installLibrary(DIST);
  const directory = mkdtempSync(join(tmpdir(), 'nestjs-performance-guilty-'));
  const child = fork(join(DIST, 'test/profiling/app/main.js'), {
    cwd: ROOT,
    env: { ...plainEnvironment(), PROFILES: directory, ...env },
  });
  const url = await firstMessage<string>(child);
  return {
    url,
    directory,
    async stop() {
      await end(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
