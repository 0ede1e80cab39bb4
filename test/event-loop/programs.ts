import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { transformFileSync } from '@swc/core';

const SOURCES = join(__dirname, '../../lib');
/** The watchdog, and what it needs of other folders. */
const FOLDERS = ['event-loop', 'code', 'resources'];
const PROGRAMS = join(__dirname, 'programs');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** The watchdog as both builds have it and once minified, and programs that use it in a process of plain Node. */
export class Programs {
  private readonly folder = mkdtempSync(join(tmpdir(), 'watchdog-'));

  build(): void {
    this.compile('esm', 'es6', 'module', false);
    this.compile('cjs', 'commonjs', 'commonjs', false);
    this.compile('minified', 'es6', 'module', true);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a program to its end. What it tells of itself comes as one line of JSON on its output. */
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

  private compile(name: string, module: 'es6' | 'commonjs', type: string, minify: boolean): void {
    const folder = join(this.folder, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }));
    for (const part of FOLDERS) {
      mkdirSync(join(folder, part));
      for (const file of readdirSync(join(SOURCES, part))) {
        const { code } = transformFileSync(join(SOURCES, part, file), {
          jsc: {
            target: 'es2022',
            parser: { syntax: 'typescript' },
            ...(minify && { minify: { compress: true, mangle: { toplevel: true } } }),
          },
          module: { type: module },
          minify,
        });
        writeFileSync(join(folder, part, file.replace(/\.ts$/, '.js')), code);
      }
    }
  }
}

/** What a program told. */
export function told<Told>(ended: Ended): Told {
  const line = ended.stdout.trim().split('\n').at(-1);
  if (!line)
    throw new Error(`it told nothing, and ended with ${ended.code ?? ended.signal}: ${ended.stderr}`);
  return JSON.parse(line) as Told;
}
