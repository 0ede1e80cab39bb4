import { pathOf } from './code-path.js';
import { captureStack } from './stack-capture.js';
import { parseStack } from './stack-text.js';

/** The path of this file, in the sources and in either build. In an application's bundle it differs. */
const OWN_FILE = /^(.*\/)(?:lib|dist\/(?:esm|cjs))\/code\/user-code\.[cm]?[jt]s$/;

/** Names of code without a file: evaluated, internal, native, or of a scheme. `C:` is no scheme. */
const NO_FILE = /^[<[]|^evalmachine|^REPL\d|^native$|^internal\/|^[a-z][\w+.-]+:|\.wasm$/i;

/** More than the files of an application. If there are more, the cache is emptied and filled again. */
const MAX_KNOWN_FILES = 5000;

const OWN_FOLDERS = ownFolders();
const knownFiles = new Map<string, boolean>();

/** Whether a file belongs to the user: not to a dependency, Node or this library, and it is a file. */
export function isUserCode(url: string): boolean {
  const known = knownFiles.get(url);
  if (known !== undefined) return known;
  const isUser = isUserFile(url);
  if (knownFiles.size >= MAX_KNOWN_FILES) knownFiles.clear();
  knownFiles.set(url, isUser);
  return isUser;
}

function isUserFile(url: string): boolean {
  const path = (pathOf(url) ?? url).replaceAll('\\', '/');
  if (path === '' || NO_FILE.test(path)) return false;
  if (path.startsWith('node_modules/') || path.includes('/node_modules/')) return false;
  return !OWN_FOLDERS.some((folder) => path.startsWith(folder));
}

/**
 * The library may be linked from outside any node_modules. `import.meta` and `__dirname` exist in one build each, so
 * the stack gives this file's path.
 */
function ownFolders(): string[] {
  try {
    const { sites, text } = captureStack(captureStack);
    const url = sites[0]?.getFileName() ?? parseStack(text)[0]?.url ?? '';
    const base = OWN_FILE.exec((pathOf(url) ?? url).replaceAll('\\', '/'))?.[1];
    return base === undefined ? [] : ['lib/', 'dist/esm/', 'dist/cjs/'].map((folder) => base + folder);
  } catch {
    return [];
  }
}
