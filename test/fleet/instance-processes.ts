import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { FaultProcess } from '../faults/process.js';

export const REDIS = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** The processes of a test file, which end with each test, and a folder for all of them. */
export function instanceProcesses(): {
  /** Starts a program of `test/fleet/programs`. */
  start(env: NodeJS.ProcessEnv, program?: string): FaultProcess;
  /** A path within the folder. */
  pathOf(...parts: string[]): string;
} {
  let processes: FaultProcess[] = [];
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-fleet-'));
  });
  afterEach(async () => {
    await Promise.all(processes.map((one) => one.remove()));
    processes = [];
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    start(env, program = 'instance.mjs') {
      const started = new FaultProcess(`../../fleet/programs/${program}`, [], { env });
      processes.push(started);
      return started;
    },
    pathOf: (...parts) => join(folder, ...parts),
  };
}

/** Its port, once it listens. */
export async function portOf(one: FaultProcess): Promise<number> {
  return Number((await one.message('ready'))['ready']);
}

export async function redisAnswers(): Promise<boolean> {
  const { hostname, port } = new URL(REDIS);
  return new Promise((resolve) => {
    const socket = connect(Number(port || 6379), hostname);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
