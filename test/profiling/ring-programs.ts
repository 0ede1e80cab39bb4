import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { bundleLib } from '../support/bundled-lib.js';

const PROGRAMS = join(__dirname, 'ring-programs');

/** The ring of profiles in a process of plain Node: debuggers, workers and permissions are the process's. */
export class RingPrograms {
  private readonly folder = mkdtempSync(join(tmpdir(), 'ring-'));

  build(): void {
    bundleLib(
      this.folder,
      ['profile-ring', 'inspector-sampler', 'cpu-capture'].map((name) => `profiling/${name}`),
      { format: 'esm' },
    );
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a program to its end. The last line of its output is its result as JSON. */
  async result<Result>(program: string, execArgv: readonly string[] = []): Promise<Result> {
    const child = spawn(process.execPath, [...execArgv, join(PROGRAMS, program)], {
      env: { PATH: process.env['PATH'], BUILT: this.folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 15_000,
    });
    const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
      child.once('exit', (code, signal) => resolve(code ?? signal)),
    );
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    const line = stdout.trim().split('\n').at(-1);
    if (code !== 0 || !line) throw new Error(`${program} ended with ${code}: ${stdout}${stderr}`);
    return JSON.parse(line) as Result;
  }
}
