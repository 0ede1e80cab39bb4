import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Leak } from '../../../lib/leaks/leak.js';
import type { LeakReading } from '../../../lib/leaks/leak-reading.js';
import { bundleLib } from '../../support/bundled-lib.js';
import { plainEnvironment } from '../../support/child-app.js';

/** One line of a program's output. */
export interface Said {
  readonly reading: LeakReading;
  readonly heapLimitBytes: number;
  readonly leaks: readonly Leak[];
}

/** The detector, compiled into a folder of its own: a process under a small heap limit has no Jest. */
export async function compile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-leaks-'));
  bundleLib(folder, ['leaks/major-collections', 'leaks/leak-detector', 'leaks/memory-watch'], {
    format: 'cjs',
  });
  return folder;
}

/** Runs a program of this folder to its end, and gives what it said and how it ended. */
export async function run(
  folder: string,
  program: string,
  flags: string[],
  args: string[] = [],
): Promise<{ said: Said[]; code: number | null }> {
  const child = spawn(process.execPath, [...flags, join(__dirname, program), folder, ...args], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const lines = output.split('\n').filter((line) => line.endsWith('}'));
  return { said: lines.map((line) => JSON.parse(line) as Said), code };
}
