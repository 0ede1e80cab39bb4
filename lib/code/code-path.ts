import { homedir } from 'node:os';
import { isAbsolute, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `webpack:///./src/x.ts`, `webpack://shop/./src/x.ts?a1b2`: a bundler's name for a file of the project. */
const BUNDLED = /^[a-z][\w+.-]+:\/\/[^/]*\/(?:\.\/)?([^?]*)/i;

/** The path of a local file from its path or `file://` URL; undefined for anything else. */
export function pathOf(url: string): string | undefined {
  if (!url.startsWith('file:')) return isAbsolute(url) ? url : undefined;
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}

/**
 * The displayed path of a file, with forward slashes: relative to the working directory if the file lies below it, from
 * `node_modules` on for a dependency elsewhere, and relative to the home directory as `~/…`.
 */
export function displayPath(url: string): string {
  const path = pathOf(url);
  if (path === undefined) {
    const inside = BUNDLED.exec(url)?.[1];
    // A bundler configured for absolute names omits one slash.
    return inside === undefined ? withForwardSlashes(url) : relativePath(`/${inside}`, inside);
  }
  return relativePath(path, outsidePath(withForwardSlashes(path)));
}

function relativePath(path: string, otherwise: string): string {
  try {
    const below = relative(process.cwd(), path);
    const outside = below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below);
    return outside ? otherwise : withForwardSlashes(below);
  } catch {
    // The working directory has been deleted.
    return otherwise;
  }
}

function outsidePath(path: string): string {
  const dependency = path.lastIndexOf('/node_modules/');
  if (dependency >= 0) return path.slice(dependency + 1);
  const home = `${withForwardSlashes(homedir())}/`;
  return home.length > 2 && path.startsWith(home) ? `~/${path.slice(home.length)}` : path;
}

/** Absolute paths in a message, after what may precede one: `/srv/shop/a.txt`, `C:\\shop\\a.txt`. */
const ABSOLUTE =
  /(?<=^|[\s'"(=:,])(?:\/(?:[^\s'"():,/]+\/)+|[a-z]:\\(?:[^\s'"():,\\]+\\)+)(?=[^\s'"():,/\\])/gi;

/** A message with only the last part of the absolute paths in it: `…/a.txt`. */
export function withoutFolders(message: string): string {
  return message.replace(ABSOLUTE, '…/');
}

/** Members with an absolute path, in JSON. */
const PATH_MEMBER = /"(file|directory)":"((?:\/|[a-z]:(?:\/|\\\\))[^"]*)"/gi;

/**
 * JSON in which the absolute paths in members `file` and `directory` are reduced to their last two parts. Texts that quote a
 * file change with it. Relative paths, names and addresses remain.
 */
export function withoutServerPaths(json: string): string {
  const files = new Set<string>();
  let text = json.replace(PATH_MEMBER, (_, key: string, path: string) => {
    if (key === 'file') files.add(path);
    return `"${key}":"${lastParts(path)}"`;
  });
  for (const file of files) text = text.replaceAll(file, lastParts(file));
  return text;
}

function lastParts(path: string): string {
  return `…/${path
    .split(/\/|\\\\/)
    .filter(Boolean)
    .slice(-2)
    .join('/')}`;
}

function withForwardSlashes(path: string): string {
  return sep === '\\' ? path.replaceAll('\\', '/') : path;
}
