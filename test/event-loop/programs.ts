import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { bundleLib } from '../support/bundled-lib.js';

const PROGRAMS = join(__dirname, 'programs');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** Runs programs that use the watchdog in plain Node: bundled in both module formats, and once minified. */
export class Programs {
  private readonly folder = mkdtempSync(join(tmpdir(), 'watchdog-'));

  build(): void {
    const bundle = (name: string, format: 'esm' | 'cjs', minify: boolean): void =>
      bundleLib(join(this.folder, name), ['process/event-loop-watchdog'], { format, minify });
    bundle('esm', 'esm', false);
    bundle('cjs', 'cjs', false);
    bundle('minified', 'esm', true);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a program to its end. The last line of its output is its result as JSON. */
  async run(program: string, argv: readonly string[] = [], execArgv: readonly string[] = []): Promise<Ended> {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [...execArgv, join(PROGRAMS, program), ...argv], {
      env: { PATH: process.env['PATH'], WATCHDOG: this.folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 15_000,
    });
    const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once('exit', (code, signal) => resolve([code, signal])),
    );
    const [stdout, stderr, [code, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      ended,
    ]);
    return { code, signal, stdout, stderr, ms: performance.now() - startedAt };
  }
}

/** The result that a program printed. @throws Error with its error output if it printed none */
export function resultOf<Result>(ended: Ended): Result {
  const line = ended.stdout.trim().split('\n').at(-1);
  if (!line) throw new Error(`no output, ended with ${ended.code ?? ended.signal}: ${ended.stderr}`);
  return JSON.parse(line) as Result;
}
