import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { transformFileSync } from '@swc/core';

const SOURCES = join(__dirname, '../../lib/profiling');
/** The captures of memory, and what they need. */
const FILES = [
  'allocation-sampling',
  'cgroup-memory',
  'heap-snapshots',
  'memory-limits',
  'profile-cleanup',
  'profile-content',
  'profile-directory',
  'profile-info',
  'profile-names',
  'profile-sidecar',
  'profile-store',
  'snapshot-quota',
];

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
    const built = join(this.folder, 'built');
    mkdirSync(built);
    writeFileSync(join(built, 'package.json'), '{"type":"module"}');
    for (const file of FILES) {
      const { code } = transformFileSync(join(SOURCES, `${file}.ts`), {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
      });
      writeFileSync(join(built, `${file}.js`), code);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /**
   * Runs a program to its end. What it tells of itself comes as one line of JSON on its output.
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
        BUILT: join(this.folder, 'built'),
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

  /** What a program told that ended well. */
  async told<Told>(...run: Parameters<HeapPrograms['run']>): Promise<Told> {
    const ended = await this.run(...run);
    const line = ended.stdout.trim().split('\n').at(-1);
    if (ended.code !== 0 || !line)
      throw new Error(`${run[0]} ended with ${ended.code ?? ended.signal}: ${ended.stdout}${ended.stderr}`);
    return JSON.parse(line) as Told;
  }
}
