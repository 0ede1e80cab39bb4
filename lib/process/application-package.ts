import { readFileSync } from 'node:fs';
import nodeModule from 'node:module';
import { dirname, isAbsolute, join, parse } from 'node:path';

/** The fields of an application's package.json that this library reads. */
export interface ApplicationPackage {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * The path from which an application loads its packages: its main file, or a file in its working directory if it has no
 * main file. A program from standard input, of `node --eval` or in a worker made from text has none: then `process.argv[1]`
 * is absent, `-`, `[worker eval]` or the first argument.
 */
export function applicationFile(): string {
  const main: unknown = process.argv[1];
  return typeof main === 'string' && isAbsolute(main) ? main : join(workingDirectory(), 'index.js');
}

/**
 * Loads and resolves packages as a file does. Bundlers replace a `createRequire` that they recognize, and a variable called
 * `require`, by their own, which know only what is in the bundle.
 */
export function loaderOf(file: string): NodeJS.Require {
  // Not `process.getBuiltinModule`: Jest replaces this module by one that loads the modules of the test.
  const createRequire = Reflect.get(nodeModule, 'createRequire') as typeof nodeModule.createRequire;
  return createRequire(file);
}

/** The loaders of packages that the application may have installed: from its main file, and from its working directory. */
export function applicationLoaders(): NodeJS.Require[] {
  return [applicationFile(), join(workingDirectory(), 'package.json')].map(loaderOf);
}

/** The working directory, or the root of the file system if it has been deleted. */
export function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return parse(process.execPath).root;
  }
}

/**
 * The named package.json nearest to the application's main file. A package.json without a name, such as one that only
 * sets the module format, is skipped.
 */
export function applicationPackage(): ApplicationPackage | undefined {
  let folder = dirname(applicationFile());
  for (;;) {
    const found = read(join(folder, 'package.json'));
    if (found?.name !== undefined) return found;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

function read(path: string): ApplicationPackage | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { name, version, dependencies, optionalDependencies } = parsed as Record<string, unknown>;
    return {
      name: typeof name === 'string' && name !== '' ? name : undefined,
      version: typeof version === 'string' && version !== '' ? version : undefined,
      dependencies: record(dependencies),
      optionalDependencies: record(optionalDependencies),
    };
  } catch {
    return undefined;
  }
}

function record(value: unknown): Record<string, string> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, string>) : undefined;
}
