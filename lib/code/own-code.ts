import { fileURLToPath, pathToFileURL } from 'node:url';

/** A position in a file that runs. Line and column are 1-based. */
interface Place {
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** The code of one module of this library, in a bundle. */
interface Part {
  readonly from: Place;
  readonly to: Place;
}

/** The parts of one file. Once sorted, they do not overlap. */
interface Parts {
  list: Part[];
  isSorted: boolean;
}

/** The path of this file, in the sources, as a module and in either build. In an application's bundle it differs. */
const OWN_FILE = /^(.*\/)(?:lib|dist\/(?:modules|esm|cjs))\/code\/own-code\.[cm]?[jt]s$/;
const OWN_MODULE = -1;

const opened = new Map<number, Place>();
/** By the path of the file, and by its URL: V8's stacks and profiles differ in which they give. */
const parts = new Map<string, Parts>();

/**
 * The folder of the package with a slash at its end; undefined if this file is part of an application's bundle. The
 * package may be linked from outside any node_modules.
 */
export const ownFolder = OWN_FILE.exec(pathOf(callerOf(callerOf)?.url))?.[1];

markOwnCode(OWN_MODULE, here());

/** As the build adds to each module. */
function here(): Place | undefined {
  return placeHere();
}

/** Where it is called; undefined where this library is not part of a bundle. */
export function placeHere(): Place | undefined {
  return ownFolder === undefined ? callerOf(placeHere) : undefined;
}

/**
 * Marks a module of this library: the build calls it at the beginning and at the end of each. A bundler puts the code of
 * many packages into one file, where no path separates them; it keeps each module in one piece.
 * @param from at the beginning: the place of the module's first function. Some bundlers move functions before the other code
 */
export function markOwnCode(module: number, from?: Place): void {
  if (ownFolder !== undefined) return;
  if (from !== undefined) {
    opened.set(module, from);
    return;
  }
  const begin = opened.get(module);
  const end = callerOf(markOwnCode);
  if (begin !== undefined && begin.url === end?.url) addOwnPart(begin, end);
}

/** Adds a part of a bundle that is the library's, or that it brought with it. */
export function addOwnPart(from: Place, to: Place): void {
  let known = parts.get(from.url);
  if (known === undefined) {
    known = { list: [], isSorted: true };
    const path = pathOf(from.url);
    for (const name of [from.url, path, pathToFileURL(path).href]) parts.set(name, known);
  }
  known.list.push({ from, to });
  known.isSorted = false;
}

/** Whether a position in a bundle lies in this library's code. Does not know the library's own files. */
export function isMarkedAsOwn(place: Place): boolean {
  const known = parts.get(place.url);
  if (known === undefined) return false;
  if (!known.isSorted) known.list = merged(known.list);
  known.isSorted = true;
  const { list } = known;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (order((list[middle] as Part).from, place) <= 0) low = middle + 1;
    else high = middle;
  }
  const last = list[low - 1];
  return last !== undefined && order(place, last.to) <= 0;
}

/** The parts in their order, those that overlap as one. */
function merged(parts: readonly Part[]): Part[] {
  const list: Part[] = [];
  for (const part of parts.toSorted((a, b) => order(a.from, b.from))) {
    const last = list.at(-1);
    if (last === undefined || order(part.from, last.to) > 0) list.push(part);
    else if (order(part.to, last.to) > 0) list[list.length - 1] = { from: last.from, to: part.to };
  }
  return list;
}

function order(a: Place, b: Place): number {
  return a.line - b.line || a.column - b.column;
}

/** The paths of the files of an application's bundle that contain this library's code. */
export function bundleFiles(): string[] {
  return [...new Set([...parts.keys()].map(pathOf))];
}

/** Whether this library is part of an application's bundle. */
export function isBundled(): boolean {
  return parts.size > 0;
}

/** Where a function was called. Never throws. */
// biome-ignore lint/complexity/noBannedTypes: its parameters are unknown, and it is not called.
function callerOf(called: Function): Place | undefined {
  try {
    return captureCaller(called);
  } catch {
    return undefined;
  }
}

// biome-ignore lint/complexity/noBannedTypes: as above.
function captureCaller(called: Function): Place | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  // Assignments would throw where the constructor is frozen.
  const formats = Reflect.set(Error, 'prepareStackTrace', (_: Error, sites: NodeJS.CallSite[]) => sites[0]);
  Reflect.set(Error, 'stackTraceLimit', 1);
  try {
    Error.captureStackTrace(holder, called);
    return placeOf(holder.stack);
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
    if (formats) Reflect.set(Error, 'prepareStackTrace', prepareStackTrace);
  }
}

function placeOf(stack: unknown): Place | undefined {
  if (typeof stack === 'string') {
    const [, url = '', line, column] = /(?:\(|at )([^()\n]+):(\d+):(\d+)\)?$/.exec(stack) ?? [];
    return url === '' ? undefined : { url, line: Number(line), column: Number(column) };
  }
  const site = stack as NodeJS.CallSite | undefined;
  const url = site?.getFileName();
  if (site === undefined || url === null || url === undefined) return undefined;
  return { url, line: site.getLineNumber() ?? 1, column: site.getColumnNumber() ?? 1 };
}

function pathOf(url = ''): string {
  try {
    return (url.startsWith('file:') ? fileURLToPath(url) : url).replaceAll('\\', '/');
  } catch {
    return '';
  }
}

markOwnCode(OWN_MODULE);
