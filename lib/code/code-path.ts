import { isAbsolute, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `webpack:///./src/x.ts`, `webpack://shop/./src/x.ts?a1b2`: a bundler's name for a file of the project. */
const BUNDLED = /^[a-z][\w+.-]+:\/\/[^/]*\/(?:\.\/)?([^?]*)/i;

/** The path of a file on this machine by its path or `file://` URL; nothing for anything else. */
export function pathOf(url: string): string | undefined {
  if (!url.startsWith('file:')) return isAbsolute(url) ? url : undefined;
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}

/** How a file is shown: from the working directory on where it lies below it, with forward slashes. */
export function shownPath(url: string): string {
  const path = pathOf(url);
  if (path === undefined) {
    const inside = BUNDLED.exec(url)?.[1];
    // A bundler asked for absolute names leaves one slash too few.
    return inside === undefined ? forward(url) : belowWorkingDirectory(`/${inside}`, inside);
  }
  return belowWorkingDirectory(path, forward(path));
}

function belowWorkingDirectory(path: string, otherwise: string): string {
  try {
    const below = relative(process.cwd(), path);
    const outside = below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below);
    return outside ? otherwise : forward(below);
  } catch {
    // The working directory has been deleted.
    return otherwise;
  }
}

function forward(path: string): string {
  return sep === '\\' ? path.replaceAll('\\', '/') : path;
}
