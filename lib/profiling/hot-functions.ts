import type { CallSite } from '../code/call-site.js';
import { isUserCode } from '../code/call-site.js';
import type { CodeNames } from './code-names.js';
import { type OperationSamples, OWN } from './operation-samples.js';
import { type CodeFunction, REGEXP, type SampleWindow } from './sample-window.js';

/** A function in which the CPU time of an operation was spent. */
export interface HotFunction {
  /** `AuthService.hash`; of what the user's code called: `pbkdf2Sync`. */
  function: string;
  /** Of the operation's samples, 0 to 1. */
  share: number;
  /** The line of it with the most samples, where it is the user's own or a dependency's. */
  file?: string;
  line?: number;
  /** The function of the user's that called it, where it is not the user's own. */
  calledFrom?: CallSite;
}

/** One function, or what one of the user's functions called, and its samples. */
interface Hot {
  readonly code: CodeFunction;
  readonly caller: CodeFunction | undefined;
  samples: number;
  /** Samples by line, where V8 told lines. */
  readonly lines: Map<number, number>;
}

/** The functions with the most of an operation's own samples, by their self time. Not yet named. */
export interface HotCode {
  readonly hot: readonly Hot[];
  /** What their shares are of. */
  readonly samples: number;
}

/** What is kept of the functions of an operation. */
const MAX_FUNCTIONS = 10;

/**
 * Counts an operation's own samples by function. What Node and its dependencies do for a line of the user's is one
 * function, the one that it called: `pbkdf2Sync`, and not the native `run` within. An anonymous function counts as
 * the named one around it.
 */
export function hotCodeOf(samples: OperationSamples): HotCode {
  const groups = new Map<string, Hot>();
  const known = samples.windows.map(() => new Map<number, { code: CodeFunction; caller?: CodeFunction }>());
  let counted = 0;
  for (const [index, owner] of samples.owner.entries()) {
    if (owner !== OWN) continue;
    counted++;
    const which = samples.window[index] as number;
    const window = samples.windows[which] as SampleWindow;
    const node = window.sampleNode[samples.place[index] as number] as number;
    let found = known[which]?.get(node);
    if (found === undefined) {
      found = whatRan(window, node);
      known[which]?.set(node, found);
    }
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
    // Of code that was inlined V8 may tell the line of another function.
    if (line >= code.line && leaf.url === code.url) group.lines.set(line, (group.lines.get(line) ?? 0) + 1);
  }
  const hot = [...groups.values()].sort((a, b) => b.samples - a.samples).slice(0, MAX_FUNCTIONS);
  return { hot, samples: counted };
}

/** The functions that are to be named. */
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

function whatRan(window: SampleWindow, leaf: number): { code: CodeFunction; caller?: CodeFunction } {
  const at = (node: number): CodeFunction =>
    window.functions[window.nodeFunction[node] as number] as CodeFunction;
  // A regular expression that V8 has compiled is a function to it; before, its time was that of who tries it.
  const start = at(leaf).name === REGEXP && at(leaf).url === '' ? (window.nodeParent[leaf] as number) : leaf;
  let called = start;
  for (let node = start; node >= 0; node = window.nodeParent[node] as number) {
    const code = at(node);
    if (isUserCode(code.url)) {
      const named = namedAround(window, node);
      return node === start ? { code: named } : { code: at(called), caller: named };
    }
    called = node;
  }
  // Nobody's code called it: the framework's own work, or V8's.
  return { code: namedAround(window, start) };
}

/** A function itself, or the named one of its file that it was called within. */
function namedAround(window: SampleWindow, start: number): CodeFunction {
  const code = window.functions[window.nodeFunction[start] as number] as CodeFunction;
  if (code.name !== '') return code;
  for (let node = window.nodeParent[start] as number; node >= 0; node = window.nodeParent[node] as number) {
    const outer = window.functions[window.nodeFunction[node] as number] as CodeFunction;
    if (outer.url === code.url && outer.name !== '') return outer;
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
