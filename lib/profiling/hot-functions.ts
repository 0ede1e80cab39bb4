import { isInApplicationPackage } from '../code/application-packages.js';
import type { CallSite } from '../code/call-site.js';
import { type CodePosition, isBookkeeping, isOwnPosition, isUserPosition } from '../code/user-code.js';
import type { CodeNames } from './code-names.js';
import { type OperationSamples, OWN } from './operation-samples.js';
import { type CodeFunction, REGEXP, type SampleWindow } from './sample-window.js';

/** A function in which an operation spent CPU time. */
export interface HotFunction {
  /** `AuthService.hash`, or a function that the user's code called: `pbkdf2Sync`. */
  function: string;
  /** Share of the operation's samples, 0 to 1. */
  share: number;
  /** The line with the most samples, for functions of the user or of a dependency. */
  file?: string;
  line?: number;
  /** The user's function that called it, if it is not the user's own. */
  calledFrom?: CallSite;
}

/** A function of the user, or one that such a function called, with its samples. */
interface Hot {
  readonly code: CodeFunction;
  readonly caller: CodeFunction | undefined;
  samples: number;
  /** Samples by line, if V8 reported lines. */
  readonly lines: Map<number, number>;
}

/** The functions with the most self time among an operation's own samples. Not yet named. */
export interface HotCode {
  readonly hot: readonly Hot[];
  /** The total that shares refer to. */
  readonly samples: number;
}

/** V8's name of its own work. */
export const COLLECTOR = '(garbage collector)';

/** Maximum number of functions kept for an operation. */
const MAX_FUNCTIONS = 10;

/**
 * Counts an operation's own samples by function. Everything that Node and dependencies do for the user's code counts
 * for the one function that it called: `pbkdf2Sync` rather than the native `run` below. An anonymous function counts
 * for its named enclosing function.
 */
export function hotCodeOf(
  samples: OperationSamples,
  isUser: (position: CodePosition) => boolean = isUserPosition,
): HotCode {
  const groups = new Map<string, Hot>();
  const known = samples.windows.map(() => new Map<number, Ran | typeof NOTHING>());
  let counted = 0;
  for (const [index, owner] of samples.owner.entries()) {
    if (owner !== OWN) continue;
    counted++;
    const which = samples.window[index] as number;
    const window = samples.windows[which] as SampleWindow;
    const node = window.sampleNode[samples.place[index] as number] as number;
    let found = known[which]?.get(node);
    if (found === undefined) {
      found = whatRan(window, node, isUser);
      known[which]?.set(node, found);
    }
    if (found === NOTHING) continue;
    const { code, caller } = found;
    const key = `${identity(code)} < ${caller === undefined ? '' : identity(caller)}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { code, caller, samples: 0, lines: new Map() };
      groups.set(key, group);
    }
    group.samples++;
    const leaf = window.functions[window.nodeFunction[node] as number] as CodeFunction;
    const line = window.nodeLine[node] as number;
    // For inlined code V8 may report the line of another function.
    if (line >= code.line && leaf.url === code.url && !isOwnPosition(leaf))
      group.lines.set(line, (group.lines.get(line) ?? 0) + 1);
  }
  const hot = [...groups.values()].sort((a, b) => b.samples - a.samples).slice(0, MAX_FUNCTIONS);
  return { hot, samples: counted };
}

/** The functions to be named. */
export function functionsIn({ hot }: HotCode): CodeFunction[] {
  return hot.flatMap(({ code, caller }) => (caller === undefined ? [code] : [code, caller]));
}

/** Names the hot functions, the one with the most samples first. */
export function nameHotFunctions({ hot, samples }: HotCode, names: CodeNames): HotFunction[] {
  return hot.map(({ code, caller, samples: own, lines }) => {
    const inFile = code.url !== '' && !code.url.startsWith('node:');
    const site = inFile ? names.locate(code, most(lines)) : undefined;
    return {
      function: names.nameOf(code),
      share: Math.round((own / samples) * 1000) / 1000,
      ...(site === undefined || site.line < 1 ? {} : { file: site.file, line: site.line }),
      ...(caller === undefined ? {} : { calledFrom: names.locate(caller) }),
    };
  });
}

/**
 * The line with the most samples of the hottest function, if that is the user's own: the line of a call is unknown. Where no
 * function is the user's, that of a package that may hold the application.
 */
export function hottestLine(
  { hot }: HotCode,
  names: CodeNames,
  isUser: (position: CodePosition) => boolean = isUserPosition,
): CallSite | undefined {
  // The collector is nobody's function.
  const first = hot.find(({ code }) => code.name !== COLLECTOR || code.url !== '');
  if (first === undefined || first.caller !== undefined) return undefined;
  const isApplication = hot.some(({ code, caller }) => isUser(caller ?? code))
    ? isUser
    : isInApplicationPackage;
  if (!isApplication(first.code)) return undefined;
  return names.locate(first.code, most(first.lines));
}

/** A function that ran, and the user's function that called it. */
interface Ran {
  readonly code: CodeFunction;
  readonly caller?: CodeFunction;
}

/** This library's own work. It is part of the operation's time, but no function of the application's. */
const NOTHING = Symbol('nothing');

function whatRan(
  window: SampleWindow,
  leaf: number,
  isUser: (position: CodePosition) => boolean,
): Ran | typeof NOTHING {
  const at = (node: number): CodeFunction =>
    window.functions[window.nodeFunction[node] as number] as CodeFunction;
  const start = innermost(window, leaf);
  let called = start;
  /** Whose work it is if no user code called it: that of the innermost function with a file. */
  let isOwnWork: boolean | undefined;
  /** The innermost function of a package that may hold the application, and what it had called. */
  let packaged: { node: number; called: number } | undefined;
  for (let node = start; node >= 0; node = window.nodeParent[node] as number) {
    const code = at(node);
    // Node's functions may lie between the user's function and this library, as those that call a hook.
    if (isUser(code)) return ranIn(window, node, isOwnWork === true ? node : start, called);
    if (packaged === undefined && isInApplicationPackage(code)) packaged = { node, called };
    if (code.url !== '' && !code.url.startsWith('node:')) isOwnWork ??= isOwnPosition(code);
    called = node;
  }
  if (packaged !== undefined && isOwnWork !== true)
    return ranIn(window, packaged.node, start, packaged.called);
  // No user code called it: work of the framework or of V8.
  return isOwnWork === true ? NOTHING : { code: enclosingNamed(window, start) };
}

/** The innermost function that says what ran. */
function innermost(window: SampleWindow, leaf: number): number {
  let at = leaf;
  for (; at >= 0; at = window.nodeParent[at] as number) {
    const { name, url } = window.functions[window.nodeFunction[at] as number] as CodeFunction;
    // V8 reports a compiled regular expression as a function; before it is compiled, its time belongs to the caller.
    if (!(name === REGEXP && url === '') && !isBookkeeping(url, name)) break;
  }
  const isRoot = at < 0 || (window.nodeParent[at] as number) < 0;
  return isRoot ? leaf : at;
}

function ranIn(window: SampleWindow, user: number, start: number, called: number): Ran {
  const code = enclosingNamed(window, user);
  const callee = window.functions[window.nodeFunction[called] as number] as CodeFunction;
  // What this library does within the user's function counts for that function.
  return user === start || isOwnPosition(callee) ? { code } : { code: callee, caller: code };
}

/** The function itself, or if it is anonymous, its innermost named caller in the same file. */
export function enclosingNamed(window: SampleWindow, start: number): CodeFunction {
  const code = window.functions[window.nodeFunction[start] as number] as CodeFunction;
  if (code.name !== '') return code;
  for (let node = window.nodeParent[start] as number; node >= 0; node = window.nodeParent[node] as number) {
    const outer = window.functions[window.nodeFunction[node] as number] as CodeFunction;
    if (outer.url === code.url && outer.name !== '' && !isOwnPosition(outer)) return outer;
  }
  return code;
}

function identity({ name, url, line, column }: CodeFunction): string {
  return `${name} ${url}:${line}:${column}`;
}

function most(lines: ReadonlyMap<number, number>): number {
  let line = 0;
  let samples = 0;
  for (const [one, count] of lines) {
    if (count <= samples) continue;
    samples = count;
    line = one;
  }
  return line;
}
