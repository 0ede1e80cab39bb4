import type { CallSite } from '../code/call-site.js';
import { type CodePosition, dependencyOf, isOwnPosition, isUserPosition } from '../code/user-code.js';
import type { CodeNames } from './code-names.js';
import { enclosingNamed } from './hot-functions.js';
import { type OperationSamples, OWN } from './operation-samples.js';
import type { CodeFunction, SampleWindow } from './sample-window.js';

/** The CPU time that an installed package spent on the calls of one function of the user. */
export interface PackageCalls {
  /** The name of the package, see `dependencyOf`. */
  readonly called: string;
  /** Absent for what the package did later, as in the continuation of a promise: then no function of the user called it. */
  readonly calledFrom?: CallSite;
  /** Share of the operation's samples, 0 to 1. */
  readonly share: number;
}

/** The same before its function is named. */
interface Calls {
  readonly called: string;
  readonly caller: CodeFunction | undefined;
  samples: number;
}

/** The package whose code ran, and the user's function that called it. */
type Call = Omit<Calls, 'samples'>;

/** Maximum number of calls kept for an operation. */
const MAX_CALLS = 10;

/** The packages in which most of an operation's own samples ran. Not yet named. */
export function packageCallsOf(
  samples: OperationSamples,
  isUser: (position: CodePosition) => boolean = isUserPosition,
): readonly Calls[] {
  const groups = new Map<string, Calls>();
  const known = samples.windows.map(() => new Map<number, Call | undefined>());
  for (const [index, owner] of samples.owner.entries()) {
    if (owner !== OWN) continue;
    const which = samples.window[index] as number;
    const window = samples.windows[which] as SampleWindow;
    const calls = known[which] as Map<number, Call | undefined>;
    const node = window.sampleNode[samples.place[index] as number] as number;
    if (!calls.has(node)) calls.set(node, callAt(window, node, isUser));
    const call = calls.get(node);
    if (call === undefined) continue;
    const { called, caller } = call;
    const key = `${called} < ${caller === undefined ? '' : `${caller.url}:${caller.line}:${caller.column}`}`;
    const group = groups.get(key) ?? { called, caller, samples: 0 };
    group.samples++;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.samples - a.samples).slice(0, MAX_CALLS);
}

/** The functions to be named. */
export function callersIn(calls: readonly Calls[]): CodeFunction[] {
  return calls.flatMap(({ caller }) => caller ?? []);
}

/** @param samples the number of the operation's own samples */
export function namePackageCalls(
  calls: readonly Calls[],
  samples: number,
  names: CodeNames,
): readonly PackageCalls[] {
  return calls.map(({ called, caller, samples: own }) => ({
    called,
    ...(caller === undefined ? {} : { calledFrom: names.locate(caller) }),
    share: own / samples,
  }));
}

/** The package that the innermost function of the user called; without one, the outermost package. */
function callAt(
  window: SampleWindow,
  leaf: number,
  isUser: (position: CodePosition) => boolean,
): Call | undefined {
  let inner: CodeFunction | undefined;
  let outermost: string | undefined;
  for (let node = leaf; node >= 0; node = window.nodeParent[node] as number) {
    const code = window.functions[window.nodeFunction[node] as number] as CodeFunction;
    if (isUser(code)) {
      const called = inner === undefined ? undefined : dependencyOf(inner.url);
      return called === undefined ? undefined : { called, caller: enclosingNamed(window, node) };
    }
    // This package wraps what serves a request, whatever runs in it.
    if (!isOwnPosition(code)) outermost = dependencyOf(code.url) ?? outermost;
    inner = code;
  }
  return outermost === undefined ? undefined : { called: outermost, caller: undefined };
}
