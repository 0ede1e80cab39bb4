import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { bundleLib } from '../support/bundled-lib.js';

/** The captures of memory. */
const ENTRIES = ['allocation-sampling', 'heap-snapshots', 'memory-limits', 'profile-store'];

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Captures of memory in a process of plain Node, whose heap is small and known. */
export class HeapPrograms {
  /** Gone with {@link remove}; each run may keep its profiles in it. */
  readonly folder = mkdtempSync(join(tmpdir(), 'heap-'));

  build(): void {
    bundleLib(
      join(this.folder, 'built'),
      ENTRIES.map((name) => `profiling/${name}`),
      { format: 'esm' },
    );
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /**
   * Runs a program to its end. The last line of its output is its result as JSON.
   * @param before shell commands that set limits for it
   * @param through a command that runs another one: `unshare -m`
   */
  async run(
    program: string,
    {
      argv = [],
      execArgv = [],
      env = {},
      before = '',
      through = [],
    }: {
      argv?: readonly string[];
      execArgv?: readonly string[];
      env?: NodeJS.ProcessEnv;
      before?: string;
      through?: readonly string[];
    } = {},
  ): Promise<Ended> {
    const path = join(__dirname, 'heap-programs', program);
    const shell = ['sh', '-c', `${before}\nexec "$0" "$@"`];
    const command = [...through, ...shell, process.execPath, ...execArgv, path, ...argv];
    const child = spawn(command[0] as string, command.slice(1), {
      env: {
        PATH: process.env['PATH'],
        BUILT: join(this.folder, 'built', 'profiling'),
        PROFILES: mkdtempSync(join(this.folder, 'run-')),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
    const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once('exit', (code, signal) => resolve([code, signal])),
    );
    const [stdout, stderr, [code, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      ended,
    ]);
    return { code, signal, stdout, stderr };
  }

  /** The result of a program. @throws Error if it ended with an error or without a result */
  async result<Result>(...run: Parameters<HeapPrograms['run']>): Promise<Result> {
    const ended = await this.run(...run);
    const line = ended.stdout.trim().split('\n').at(-1);
    if (ended.code !== 0 || !line)
      throw new Error(`${run[0]} ended with ${ended.code ?? ended.signal}: ${ended.stdout}${ended.stderr}`);
    return JSON.parse(line) as Result;
  }
}
