import { sep } from 'node:path';

const MARKER = `${sep}node_modules${sep}`;

/** The innermost package that a file is part of. */
export function packageOf(file: string): { name: string; folder: string } | undefined {
  const at = file.lastIndexOf(MARKER);
  if (at < 0) return undefined;
  const start = at + MARKER.length;
  let end = file.indexOf(sep, start);
  if (file[start] === '@') end = file.indexOf(sep, end + 1);
  if (end < 0) return undefined;
  return { name: file.slice(start, end).replaceAll(sep, '/'), folder: file.slice(0, end) };
}

/** The packages of which files are loaded. Each file is looked at once, as an application has thousands. */
class LoadedPackages {
  private readonly folders = new Map<string, Set<string>>();
  private indexed = 0;
  /** The last file that was indexed: while it keeps its place, none before it has gone. */
  private last: string | undefined;

  constructor(private readonly cache: object) {}

  /** The folders of the copies of a package. */
  foldersOf(name: string): ReadonlySet<string> {
    this.update(Object.keys(this.cache));
    return this.folders.get(name) ?? NONE;
  }

  private update(files: readonly string[]): void {
    if (files[this.indexed - 1] !== this.last) {
      this.folders.clear();
      this.indexed = 0;
    }
    for (const file of files.slice(this.indexed)) this.add(file);
    this.indexed = files.length;
    this.last = files.at(-1);
  }

  private add(file: string): void {
    const found = packageOf(file);
    if (found === undefined) return;
    const folders = this.folders.get(found.name) ?? new Set();
    this.folders.set(found.name, folders.add(found.folder));
  }
}

const NONE: ReadonlySet<string> = new Set();
const indexes = new WeakMap<object, LoadedPackages>();

/** The packages in a cache of modules, as `require.cache` is. */
export function loadedPackages(cache: object): LoadedPackages {
  const index = indexes.get(cache) ?? new LoadedPackages(cache);
  indexes.set(cache, index);
  return index;
}
