import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { transformFileSync } from '@swc/core';
import { ROOT } from '../support/child-app.js';

const SOURCES = join(ROOT, 'lib');
/** The profiler, and what it needs of other folders. */
const FOLDERS = ['profiling', 'code', 'resources'];
const PROGRAMS = join(__dirname, 'ring-programs');

/** The ring of profiles in a process of plain Node: debuggers, workers and permissions are the process's. */
export class RingPrograms {
  private readonly folder = mkdtempSync(join(tmpdir(), 'ring-'));

  build(): void {
    writeFileSync(join(this.folder, 'package.json'), '{"type":"module"}');
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'), 'junction');
    for (const part of FOLDERS) {
      mkdirSync(join(this.folder, part));
      for (const file of readdirSync(join(SOURCES, part))) {
        const { code } = transformFileSync(join(SOURCES, part, file), {
          jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
          module: { type: 'es6' },
        });
        writeFileSync(join(this.folder, part, file.replace(/\.ts$/, '.js')), code);
      }
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a program to its end, and gives what it told of itself as one line of JSON. */
  async told<Told>(program: string, execArgv: readonly string[] = []): Promise<Told> {
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
    return JSON.parse(line) as Told;
  }
}
