import type { CallSite, RawFrame } from '../code/call-site.js';
import { dependencyOf } from '../code/user-code.js';
import type { PackageCalls } from '../profiling/package-calls.js';
import type { WorkGroup } from '../spans/work-group.js';
import type { Repetition } from './repetition.js';
import type { StallSummary } from './stalls.js';

// What a package does to make a call, such as an ORM that builds a statement and reads its rows, would not be done without
// the call. It counts where the package ran for the user's line that made the calls, and later, when no function of the user
// is on the stack: of that, the part of these calls and their rows among all of their kind.

/** Finds the user's innermost frame and its position in the source code. */
export type FindFrame = (frames: readonly RawFrame[]) => { frame: RawFrame; callSite: CallSite } | undefined;

/** The calls of an operation. */
interface Calls {
  readonly repetitions: readonly Repetition[];
  readonly groups: readonly WorkGroup[];
}

/**
 * The share of an operation's samples in which a package made the calls of a repetition.
 * @returns 0 to 1
 */
export function sampledCalling(
  repetition: Repetition,
  calls: Calls,
  packageCalls: readonly PackageCalls[],
  find: FindFrame,
): number {
  const asked = repetition.frames && find(repetition.frames);
  const { through = [] } = asked?.frame ?? {};
  let share = 0;
  for (const { called, calledFrom, share: each } of packageCalls) {
    if (calledFrom === undefined) {
      if (through.includes(called)) share += each * partOf(repetition, calls);
    } else if (called === through[0] && isWithin(asked?.callSite, calledFrom)) share += each;
  }
  return Math.min(1, share);
}

/**
 * The same without a profiler, by the stacks of the operation's stalls and moments.
 * @returns 0 to 1; 0 if no stack shows the line of the calls
 */
export function stalledCalling(
  repetition: Repetition,
  calls: Calls,
  { ownStacks }: StallSummary,
  find: FindFrame,
): number {
  const asked = repetition.frames && find(repetition.frames);
  const { through = [] } = asked?.frame ?? {};
  let allMs = 0;
  let askedMs = 0;
  let laterMs = 0;
  for (const { ms, stack } of ownStacks) {
    allMs += ms;
    const ran = find(stack);
    if (ran === undefined) {
      const outermost = stack.findLast(({ url }) => dependencyOf(url) !== undefined);
      if (outermost !== undefined && through.includes(dependencyOf(outermost.url) as string)) laterMs += ms;
      continue;
    }
    const inner = stack[stack.indexOf(ran.frame) - 1];
    const isCall = inner !== undefined && through[0] !== undefined && dependencyOf(inner.url) === through[0];
    if (isCall && isSameLine(asked?.callSite, ran.callSite)) askedMs += ms;
  }
  return askedMs === 0 ? 0 : (askedMs + laterMs * partOf(repetition, calls)) / allMs;
}

/** The part of a repetition among all calls of its kind, 0 to 1: each call counts as much as a row that is read. */
function partOf({ group }: Repetition, { repetitions, groups }: Calls): number {
  let all = 0;
  for (const other of [...groups, ...repetitions.map((repetition) => repetition.group)])
    if (other.work === group.work) all += other.started + other.rows;
  return (group.started + group.rows) / all;
}

function isWithin(site: CallSite | undefined, caller: CallSite): boolean {
  return site?.file === caller.file && site.function === caller.function && caller.line <= site.line;
}

function isSameLine(site: CallSite | undefined, other: CallSite): boolean {
  return site?.file === other.file && site.line === other.line;
}
