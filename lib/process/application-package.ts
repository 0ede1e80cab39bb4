import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The fields of an application's package.json that this library reads. */
export interface ApplicationPackage {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * The named package.json nearest to the application's main file. A package.json without a name, such as one that only
 * sets the module format, is skipped.
 */
export function applicationPackage(): ApplicationPackage | undefined {
  let folder = process.argv[1] === undefined ? process.cwd() : dirname(process.argv[1]);
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
