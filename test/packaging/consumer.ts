import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cleanEnvironment, type Ended, run, succeed } from './processes';
import { documentedSnippets, sourceNameOf, sourceOf } from './snippets';
import { repository } from './tarball';

export type Format = 'cjs' | 'esm';
export type Adapter = 'express' | 'fastify';

const FIXTURES = join(repository, 'test', 'consumers');
const TSC = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
const TERMINUS = '@nestjs/terminus';
const BOOT_TIMEOUT_MS = 60_000;
/** A program that is kept alive by something of ours is ended after this time, and has no exit code. */
const PROGRAM_TIMEOUT_MS = 30_000;
const INSTALL_TIMEOUT_MS = 180_000;
const COMPILE_TIMEOUT_MS = 120_000;

/**
 * What a new project of each major version of Nest has: the format of its own sources, and its compiler. Of the latter the
 * repository's own is used where it is the same major version.
 */
const PROJECTS = {
  11: { type: 'commonjs', typescript: ['typescript@5'] },
  12: { type: 'module', typescript: [] },
} as const;
type NestMajor = keyof typeof PROJECTS;

/** Its compiler options, with `strict` and what is stricter still, and the types of libraries checked. */
const PROJECT_OPTIONS = {
  module: 'nodenext',
  moduleResolution: 'nodenext',
  resolvePackageJsonExports: true,
  esModuleInterop: true,
  isolatedModules: true,
  declaration: true,
  removeComments: true,
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  allowSyntheticDefaultImports: true,
  target: 'ES2023',
  types: ['node', 'jest'],
  rootDir: '.',
  outDir: './dist',
  skipLibCheck: false,
  strict: true,
  exactOptionalPropertyTypes: true,
};

/** What the snippets of the documentation import that has nothing to do with Nest: all consumers share one copy. */
const SHARED_PACKAGES = {
  '@opentelemetry/sdk-node': '0.223',
  '@keyv/redis': '5',
  keyv: '5',
  '@types/jest': '30',
  '@types/supertest': '7',
};

/** Installs the packages that consumers share, into a folder that is then given to {@link Consumer.create}. */
export async function installShared(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-shared-'));
  await writeJson(join(folder, 'package.json'), { name: 'shared', private: true });
  await install(
    Object.entries(SHARED_PACKAGES).map((each) => each.join('@')),
    folder,
  );
  return folder;
}

async function linkShared(shared: string, folder: string): Promise<void> {
  for (const name of Object.keys(SHARED_PACKAGES)) {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(shared, 'node_modules', name), link, 'junction');
  }
}

async function install(packages: string[], folder: string): Promise<void> {
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages];
  await succeed('npm', args, folder, INSTALL_TIMEOUT_MS);
}

/**
 * A folder with the package installed from its tarball beside one major version of Nest, and in it the applications
 * of test/consumers: the same sources as CommonJS (`cjs`) and as ECMAScript modules (`esm`).
 */
export class Consumer {
  private constructor(
    readonly nest: NestMajor,
    readonly folder: string,
    /** What was found while terminus was installed. */
    readonly documented: Documented,
    /** What the compiler found: the types of the package and its peers are checked, too. */
    readonly compilation: Ended,
  ) {}

  /** @param shared what {@link installShared} promises */
  static async create(nest: NestMajor, tarball: string, shared: Promise<string>): Promise<Consumer> {
    const folder = await mkdtemp(join(tmpdir(), `nestjs-performance-nest-${nest}-`));
    await writeJson(join(folder, 'package.json'), { name: 'consumer', version: '7.8.9', private: true });
    await cp(FIXTURES, folder, {
      recursive: true,
      filter: (path) => !['app', 'documented'].some((name) => path.startsWith(join(FIXTURES, name))),
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
      '@opentelemetry/exporter-trace-otlp-grpc@0.223',
      ...PROJECTS[nest].typescript,
      `${TERMINUS}@${nest}`,
    ];
    const [its] = await Promise.all([shared, install(packages, folder)]);
    await linkShared(its, folder);
    const documented = await compileDocumented(nest, folder);
    // It is an optional peer, which the applications do without.
    await rm(join(folder, 'node_modules', TERMINUS), { recursive: true });
    return new Consumer(nest, folder, documented, await compile(TSC, '.', folder));
  }

  /** Checks types, with those of libraries, in another way of resolving modules than Node's newest. */
  async checkTypes(
    options: { module: string; moduleResolution?: string },
    include: string[],
  ): Promise<Ended> {
    const config = `tsconfig.${options.moduleResolution ?? options.module}.json`;
    const compilerOptions = { ...options, noEmit: true };
    await writeJson(join(this.folder, config), { extends: './tsconfig.json', compilerOptions, include });
    return compile(TSC, config, this.folder);
  }

  /** Runs a program of the application's to its end. */
  run(...args: string[]): Promise<Ended> {
    return run(process.execPath, args, this.folder, PROGRAM_TIMEOUT_MS);
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

/** What was found of the documentation's snippets and the sources of test/consumers/documented. */
export interface Documented {
  readonly compilation: Ended;
  /** The program that asks the health indicator. */
  readonly health: Ended;
}

async function compileDocumented(nest: NestMajor, folder: string): Promise<Documented> {
  const { type, typescript } = PROJECTS[nest];
  const project = join(folder, 'documented');
  await cp(join(FIXTURES, 'documented'), project, { recursive: true });
  await writeJson(join(project, 'package.json'), { type });
  await writeJson(join(project, 'tsconfig.json'), { compilerOptions: PROJECT_OPTIONS });
  for (const snippet of await documentedSnippets())
    await writeFile(join(project, sourceNameOf(snippet)), sourceOf(snippet));
  const tsc = typescript.length > 0 ? join(folder, 'node_modules', 'typescript', 'bin', 'tsc') : TSC;
  const compilation = await compile(tsc, '.', project);
  const health = await run(process.execPath, [join('dist', 'health-check.js')], project);
  return { compilation, health };
}

function compile(tsc: string, project: string, folder: string): Promise<Ended> {
  return run(process.execPath, [tsc, '-p', project], folder, COMPILE_TIMEOUT_MS);
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
