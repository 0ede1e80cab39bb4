import type { CallSite } from '../code/call-site.js';

/** What a search for code asks for: a file, a symbol, or both. */
export class CodeSearch {
  private readonly path: string | undefined;
  private readonly stem: string | undefined;
  private readonly className: string | undefined;
  private readonly words: readonly string[] | undefined;

  /**
   * @param file a path: relative, absolute or only a name. No file is opened
   * @param symbol `AlbumsService`, `AlbumsService.list` or `list`
   */
  constructor(file: string | undefined, symbol: string | undefined) {
    this.path = file
      ?.replaceAll('\\', '/')
      .replace(/^(?:\.\/)+/, '')
      .replace(/:\d+(?::\d+)?$/, '');
    this.stem = this.path === undefined ? undefined : stemOf(this.path);
    this.className = this.stem === undefined ? undefined : classNameOf(this.stem);
    this.words = symbol
      ?.replace(/\(.*$/s, '')
      .split(/[.#:]+/)
      .filter(Boolean);
  }

  /** Whether a line of code is in the file and has the symbol. */
  isAt(site: Partial<Pick<CallSite, 'function' | 'file'>> | undefined): boolean {
    if (site === undefined) return false;
    return this.isInFile(site.file) && (this.words === undefined || this.names(site.function));
  }

  /**
   * Whether a method, as `AlbumsController.list`, has the symbol. In a file, its class has the name that Nest's conventions
   * give to the file.
   */
  isMethod(name: string | undefined): boolean {
    if (name === undefined) return false;
    if (this.words !== undefined && !this.names(name)) return false;
    return this.className === undefined || name.split('.')[0]?.toLowerCase() === this.className;
  }

  private isInFile(file: string | undefined): boolean {
    const { path } = this;
    if (path === undefined) return true;
    if (file === undefined) return false;
    const known = file.replaceAll('\\', '/').replace(/^(?:~|\u2026)\//, '');
    // A program that runs without source maps names the compiled file.
    return endsWithPath(known, path) || endsWithPath(path, known) || stemOf(known) === this.stem;
  }

  private names(method: string | undefined): boolean {
    const parts = method?.split(/[.\s]+/) ?? [];
    const { words = [] } = this;
    return parts.some((_, at) =>
      words.every((word, index) => parts[at + index]?.toLowerCase() === word.toLowerCase()),
    );
  }
}

function endsWithPath(path: string, end: string): boolean {
  return path === end || path.endsWith(`/${end}`);
}

/** `src/albums.service.ts`: `albums.service` */
function stemOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[cm]?[jt]sx?$/, '');
}

/** `order-items.service`: `orderitemsservice` */
function classNameOf(stem: string): string {
  return stem.replace(/[^\p{L}\p{N}]/gu, '').toLowerCase();
}
