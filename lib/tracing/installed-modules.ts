import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { applicationPackage } from '../process/application-package.js';
import { own } from '../validation/own.js';

/** A package as the application has it. */
export interface InstalledPackage {
  readonly folder: string;
  readonly version: string;
}

/**
 * The packages that an application has installed and those it has loaded, seen from its main file: this package may
 * be linked in from somewhere else, with modules of its own around it.
 */
export class InstalledModules {
  private readonly require = createRequire(process.argv[1] ?? join(process.cwd(), 'index.js'));
  private readonly declared = declaredPackages();
  private loaded = new Map<string, Set<string>>();
  private indexed = -1;

  /** The package that the application would get by this name. */
  find(name: string): InstalledPackage | undefined {
    const local = createRequire(join(process.cwd(), 'index.js'));
    const folders = [...(this.require.resolve.paths(name) ?? []), ...(local.resolve.paths(name) ?? [])];
    for (const folder of folders) {
      const installed = readPackage(join(folder, ...name.split('/')));
      if (installed !== undefined) return installed;
    }
    return undefined;
  }

  /** The package by this name if the application uses it: its package.json asks for it, or it is loaded. */
  findUsed(name: string, declaredOnly = false): InstalledPackage | undefined {
    if (this.declared.has(name)) return this.find(name);
    return declaredOnly ? undefined : this.loadedCopies(name)[0];
  }

  /** Every copy of a package of which a file is loaded, by `require` or by `import` of CommonJS. */
  loadedCopies(name: string): InstalledPackage[] {
    const files = Object.keys(this.require.cache);
    if (files.length !== this.indexed) {
      this.loaded = indexPackages(files);
      this.indexed = files.length;
    }
    return [...(this.loaded.get(name) ?? [])].map(readPackage).filter((found) => found !== undefined);
  }

  /** The exports of a package's main file, or of one of its files, if it is loaded. Loads nothing. */
  loadedExports(folder: string, file = ''): unknown {
    try {
      const path = this.require.resolve(join(folder, file));
      const module = own(this.require.cache, path);
      return module?.loaded === true ? module.exports : undefined;
    } catch {
      return undefined;
    }
  }

  /** Loads a package of the application's. */
  load(name: string): unknown {
    return this.require(name);
  }
}

/** The folders of the packages that these files belong to, by the packages' names. */
function indexPackages(files: readonly string[]): Map<string, Set<string>> {
  const marker = `${sep}node_modules${sep}`;
  const index = new Map<string, Set<string>>();
  for (const file of files) {
    const at = file.lastIndexOf(marker);
    if (at < 0) continue;
    const start = at + marker.length;
    let end = file.indexOf(sep, start);
    if (file[start] === '@') end = file.indexOf(sep, end + 1);
    if (end < 0) continue;
    const name = file.slice(start, end).replaceAll(sep, '/');
    const folders = index.get(name) ?? new Set();
    index.set(name, folders.add(file.slice(0, end)));
  }
  return index;
}

/** What the application's package.json asks for. */
function declaredPackages(): Set<string> {
  const { dependencies, optionalDependencies } = applicationPackage() ?? {};
  return new Set([...Object.keys(dependencies ?? {}), ...Object.keys(optionalDependencies ?? {})]);
}

function readPackage(folder: string): InstalledPackage | undefined {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) return undefined;
  try {
    const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version?: unknown };
    return { folder, version: typeof version === 'string' ? version : '0.0.0' };
  } catch {
    return undefined;
  }
}
