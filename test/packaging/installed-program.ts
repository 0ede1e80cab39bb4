import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transform } from '@swc/core';
import { run, succeed } from './processes';
import { tarball } from './tarball';

/** A folder with a program as ECMAScript module and as CommonJS, and with the packages that it needs beside the library. */
export class InstalledProgram {
  private constructor(
    private readonly name: string,
    private readonly folder: string,
  ) {}

  /**
   * @param name of a file in `programs/`, without `.mjs`
   * @param packages as `npm install` takes them
   */
  static async create(name: string, packages: readonly string[]): Promise<InstalledProgram> {
    const folder = await mkdtemp(join(tmpdir(), `nestjs-performance-${name}-`));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name, private: true }));
    const program = await readFile(join(__dirname, `programs/${name}.mjs`), 'utf8');
    await writeFile(join(folder, `${name}.mjs`), program);
    const { code } = await transform(program, { module: { type: 'commonjs' }, jsc: { target: 'es2022' } });
    await writeFile(join(folder, `${name}.cjs`), code);
    const options = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
    const args = ['install', ...options, await tarball(), ...packages];
    await succeed('npm', args, folder, 240_000);
    return new InstalledProgram(name, folder);
  }

  /** Runs the program to its end. @returns what its last line of output says as JSON */
  async run<T>(
    format: 'mjs' | 'cjs',
    args: readonly string[],
    variables: Record<string, string> = {},
  ): Promise<T> {
    const { name, folder } = this;
    const all = [`${name}.${format}`, ...args];
    const { code, stdout, stderr } = await run(process.execPath, all, folder, 120_000, variables);
    if (code !== 0) throw new Error(`the application ended with ${code}:\n${stdout}\n${stderr}`);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
