import { pathOf } from './code-path.js';
import { captureStack } from './stack-capture.js';
import { parseStack } from './stack-text.js';

/** Where this file lies, from source and in either build. Inside somebody's bundle it lies elsewhere. */
const OWN_FILE = /^(.*\/)(?:lib|dist\/(?:esm|cjs))\/code\/user-code\.[cm]?[jt]s$/;

/** What V8 and Node call code that has no file: evaluated, internal, native, or of a scheme. `C:` is none. */
const NO_FILE = /^[<[]|^evalmachine|^REPL\d|^native$|^internal\/|^[a-z][\w+.-]+:|\.wasm$/i;

/** More files than an application has; what is beyond is judged anew. */
const MAX_JUDGED = 5000;

const OWN_FOLDERS = ownFolders();
const judged = new Map<string, boolean>();

/** Whether a file is the user's own: no dependency's, not Node's, not this library's, and a file at all. */
export function isUserCode(url: string): boolean {
  const known = judged.get(url);
  if (known !== undefined) return known;
  const verdict = judge(url);
  if (judged.size >= MAX_JUDGED) judged.clear();
  judged.set(url, verdict);
  return verdict;
}

function judge(url: string): boolean {
  const path = (pathOf(url) ?? url).replaceAll('\\', '/');
  if (path === '' || NO_FILE.test(path)) return false;
  if (path.startsWith('node_modules/') || path.includes('/node_modules/')) return false;
  return !OWN_FOLDERS.some((folder) => path.startsWith(folder));
}

/** The library may be linked in from outside of any node_modules. Neither build has the other's way to ask. */
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
