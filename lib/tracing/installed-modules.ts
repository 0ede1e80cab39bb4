import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import {
  applicationFile,
  applicationPackage,
  loaderOf,
  workingDirectory,
} from '../process/application-package.js';
import { own } from '../validation/own.js';
import { loadedPackages } from './loaded-packages.js';

/** A package that the application has installed. */
export interface InstalledPackage {
  readonly folder: string;
  readonly version: string;
}

/**
 * The packages that an application has installed and loaded, resolved from its main file: this package may be a symbolic
 * link to a directory with other modules.
 */
export class InstalledModules {
  private readonly loader = loaderOf(applicationFile());
  private readonly declared = declaredPackages();
  /** By their folders. */
  private readonly known = new Map<string, InstalledPackage>();

  /** The package that the application would load by this name. */
  find(name: string): InstalledPackage | undefined {
    const local = loaderOf(join(workingDirectory(), 'index.js'));
    const folders = [...(this.loader.resolve.paths(name) ?? []), ...(local.resolve.paths(name) ?? [])];
    for (const folder of folders) {
      const installed = this.read(join(folder, ...name.split('/')));
      if (installed !== undefined) return installed;
    }
    return undefined;
  }

  /** Whether a module of Node.js is loaded, by `require` or `import`. Loading one may print a warning. */
  isBuiltinLoaded(name: string): boolean {
    const { moduleLoadList } = process as { moduleLoadList?: readonly string[] };
    return moduleLoadList?.includes(`NativeModule ${name.replace(/^node:/, '')}`) ?? false;
  }

  /**
   * The package by this name if the application uses it: its package.json lists it or a package that brings it along, or it
   * is loaded.
   */
  findUsed(name: string, declaredOnly = false, usedBy: readonly string[] = []): InstalledPackage | undefined {
    if (isBuiltin(name))
      return this.isBuiltinLoaded(name) ? { folder: '', version: process.versions.node } : undefined;
    if (this.declared.has(name)) return this.find(name);
    const brought = usedBy.some((user) => this.declared.has(user)) ? this.find(name) : undefined;
    if (brought !== undefined) return brought;
    return declaredOnly ? undefined : this.loadedCopies(name)[0];
  }

  /** Every copy of a package with a loaded file, by `require` or by `import` of CommonJS. */
  loadedCopies(name: string): InstalledPackage[] {
    const folders = [...loadedPackages(this.loader.cache).foldersOf(name)];
    return folders.map((folder) => this.read(folder)).filter((found) => found !== undefined);
  }

  /** Every copy of a package that the application may load or has loaded. */
  copies(name: string): InstalledPackage[] {
    const all = [this.find(name), ...this.loadedCopies(name)].filter((found) => found !== undefined);
    return all.filter(({ folder }, index) => all.findIndex((other) => other.folder === folder) === index);
  }

  /** The exports of a package's main file, or of another of its files, if that is loaded. Loads nothing. */
  loadedExports(folder: string, file = ''): unknown {
    try {
      const path = this.loader.resolve(join(folder, file));
      const module = own(this.loader.cache, path);
      return module?.loaded === true ? module.exports : undefined;
    } catch {
      return undefined;
    }
  }

  /** Loads a package as the application does. */
  load(name: string): unknown {
    return this.loader(name);
  }

  private read(folder: string): InstalledPackage | undefined {
    const found = this.known.get(folder) ?? readPackage(folder);
    if (found !== undefined) this.known.set(folder, found);
    return found;
  }
}

/** The dependencies in the application's package.json. */
function declaredPackages(): Set<string> {
  const { dependencies, optionalDependencies } = applicationPackage() ?? {};
  return new Set([...Object.keys(dependencies ?? {}), ...Object.keys(optionalDependencies ?? {})]);
}

/** The package in a folder, if one is there. */
export function readPackage(folder: string): InstalledPackage | undefined {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) return undefined;
  try {
    const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version?: unknown };
    return { folder, version: typeof version === 'string' ? version : '0.0.0' };
  } catch {
    return undefined;
  }
}
