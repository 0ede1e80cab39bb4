import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';

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

  /** Every copy of a package of which a file is loaded, by `require` or by `import` of CommonJS. */
  loadedCopies(name: string): InstalledPackage[] {
    const marker = `${sep}node_modules${sep}${name.split('/').join(sep)}${sep}`;
    const folders = new Set<string>();
    for (const file of Object.keys(this.require.cache)) {
      const at = file.lastIndexOf(marker);
      if (at >= 0) folders.add(file.slice(0, at + marker.length - 1));
    }
    return [...folders].map(readPackage).filter((found) => found !== undefined);
  }

  /** The exports of a package's main file, or of one of its files, if it is loaded. Loads nothing. */
  loadedExports(folder: string, file = ''): unknown {
    try {
      const path = this.require.resolve(join(folder, file));
      const module = this.require.cache[path];
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
