import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment, type Ended, run, succeed } from './processes';
import { repository } from './tarball';

export type Format = 'cjs' | 'esm';
export type Adapter = 'express' | 'fastify';

const FIXTURES = join(repository, 'test', 'consumers');
const TSC = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
const BOOT_TIMEOUT_MS = 20_000;

/**
 * A folder with the package installed from its tarball beside one major version of Nest, and in it the applications
 * of test/consumers: the same sources as CommonJS (`cjs`) and as ECMAScript modules (`esm`).
 */
export class Consumer {
  private constructor(
    readonly nest: number,
    readonly folder: string,
    /** What the compiler found: the types of the package and its peers are checked, too. */
    readonly compilation: Ended,
  ) {}

  static async create(nest: number, tarball: string): Promise<Consumer> {
    const folder = await mkdtemp(join(tmpdir(), `nestjs-performance-nest-${nest}-`));
    await writeJson(join(folder, 'package.json'), { name: 'consumer', version: '7.8.9', private: true });
    await cp(FIXTURES, folder, {
      recursive: true,
      filter: (path) => !path.startsWith(join(FIXTURES, 'app')),
    });
    for (const [format, type] of Object.entries({ cjs: 'commonjs', esm: 'module' })) {
      await cp(join(FIXTURES, 'app'), join(folder, format), { recursive: true });
      await writeJson(join(folder, format, 'package.json'), { type });
    }
    const packages = [
      tarball,
      ...['common', 'core', 'platform-express', 'platform-fastify'].map((name) => `@nestjs/${name}@${nest}`),
      'reflect-metadata@0.2',
      'rxjs@7',
      // Of the application's own tracing.
      '@opentelemetry/api@1',
      '@opentelemetry/sdk-trace-node@2',
      '@opentelemetry/instrumentation@0.223',
      '@opentelemetry/instrumentation-http@0.223',
      '@types/node@20',
      '@types/express@5',
    ];
    await succeed('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], folder);
    return new Consumer(nest, folder, await run(process.execPath, [TSC, '-p', '.'], folder));
  }

  /** Checks types, with those of libraries, in another way of resolving modules than Node's newest. */
  async checkTypes(
    options: { module: string; moduleResolution?: string },
    include: string[],
  ): Promise<Ended> {
    const config = `tsconfig.${options.moduleResolution ?? options.module}.json`;
    const compilerOptions = { ...options, noEmit: true };
    await writeJson(join(this.folder, config), { extends: './tsconfig.json', compilerOptions, include });
    return run(process.execPath, [TSC, '-p', config], this.folder);
  }

  /** Runs a program of the application's to its end. */
  run(...args: string[]): Promise<Ended> {
    return run(process.execPath, args, this.folder, 15_000);
  }

  /** Starts the application and waits until it listens. */
  async start(format: Format, adapter: Adapter, env: Record<string, string>): Promise<Application> {
    const preload = { cjs: ['--require', './cjs/tracing.js'], esm: ['--import', './esm/tracing.js'] }[format];
    const args = [...(env['TRACING'] === undefined ? [] : preload), `${format}/main.js`, adapter];
    const child = spawn(process.execPath, args, {
      cwd: this.folder,
      env: cleanEnvironment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const stop = async (): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    };
    const listening = new Promise<string>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${args.join(' ')} ${why}:\n${output}`));
      const timer = setTimeout(() => fail('does not listen'), BOOT_TIMEOUT_MS);
      const read = (text: string): void => {
        output += text;
        const port = /^port (\d+)$/m.exec(output)?.[1];
        if (port === undefined) return;
        clearTimeout(timer);
        resolve(`http://127.0.0.1:${port}`);
      };
      child.stdout.setEncoding('utf8').on('data', read);
      child.stderr.setEncoding('utf8').on('data', read);
      child.once('exit', (code) => {
        clearTimeout(timer);
        fail(`ended with ${code}`);
      });
    });
    try {
      return { url: await listening, output: () => output, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** An application that runs. */
export interface Application {
  readonly url: string;
  /** All that it has printed. */
  output(): string;
  stop(): Promise<void>;
}

function writeJson(path: string, value: object): Promise<void> {
  return writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
