import { cachedByText } from '../text/cached-text.js';
import { pathOf } from './code-path.js';
import { isMarkedAsOwn, ownFolder } from './own-code.js';

/** Names of code without a file: evaluated, internal, native, or of a scheme. `C:` is no scheme. */
const NO_FILE = /^[<[]|^evalmachine|^REPL\d|^native$|^internal\/|^[a-z][\w+.-]+:|\.wasm$/i;

/** More than the files of an application. If there are more, the cache is emptied and filled again. */
const MAX_KNOWN_FILES = 5000;

const OWN_FOLDERS =
  ownFolder === undefined
    ? []
    : ['lib/', 'dist/modules/', 'dist/esm/', 'dist/cjs/'].map((folder) => ownFolder + folder);
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

/** A position in code that runs. Lines and columns are 1-based. */
export interface CodePosition {
  /** A path or a `file://` URL. */
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** As {@link isUserCode}, but in an application's bundle, which is one file, not a position in this library's code. */
export function isUserPosition(position: CodePosition): boolean {
  return isUserCode(position.url) && !isMarkedAsOwn(position);
}

/** Whether a position is in this library's code. */
export function isOwnPosition(position: CodePosition): boolean {
  return isMarkedAsOwn(position) || isOwnFile(slashed(position.url));
}

function isUserFile(url: string): boolean {
  const path = slashed(url);
  if (path === '' || NO_FILE.test(path)) return false;
  return !isDependencyPath(path) && !isOwnFile(path);
}

/** Files in which Node counts promises and callbacks. */
const BOOKKEEPING = /^node:internal\/(?:async_hooks|process\/(?:task_queues|promises))$/;

/** Whether a function is Node's that runs around any code, whichever it is, and so says nothing about it. */
export function isBookkeeping(url: string, functionName: string): boolean {
  return url === '' ? functionName === 'runMicrotasks' : BOOKKEEPING.test(url);
}

/** Whether a path or the source of a source map belongs to an installed package. */
export function isDependencyPath(path: string): boolean {
  return path.startsWith('node_modules/') || path.includes('/node_modules/');
}

const dependencyIn = cachedByText(
  (url) => /.*(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(slashed(url))?.[1] ?? '',
);

/** The installed package that a file belongs to: `typeorm`, `@mikro-orm/core`; undefined for any other file. */
export function dependencyOf(url: string): string | undefined {
  return dependencyIn(url) || undefined;
}

function isOwnFile(path: string): boolean {
  return OWN_FOLDERS.some((folder) => path.startsWith(folder));
}

function slashed(url: string): string {
  return (pathOf(url) ?? url).replaceAll('\\', '/');
}
