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

/** The displayed path of a file: relative to the working directory if the file lies below it, with forward slashes. */
export function displayPath(url: string): string {
  const path = pathOf(url);
  if (path === undefined) {
    const inside = BUNDLED.exec(url)?.[1];
    // A bundler configured for absolute names omits one slash.
    return inside === undefined ? withForwardSlashes(url) : relativePath(`/${inside}`, inside);
  }
  return relativePath(path, withForwardSlashes(path));
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

function withForwardSlashes(path: string): string {
  return sep === '\\' ? path.replaceAll('\\', '/') : path;
}
