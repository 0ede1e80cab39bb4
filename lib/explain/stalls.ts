import { isUserCode } from '../code/call-site.js';
import type { BlockingOperation, StackFrame, Stall } from '../process/stall.js';

/** The times within an operation in which the event loop stood still, by whose work it was. */
export interface StallSummary {
  readonly ownMs: number;
  readonly othersMs: number;
  readonly unknownMs: number;
  /** The other operation that held the loop for the longest time, and the stack it was caught with. */
  readonly other:
    | { readonly operation: BlockingOperation; readonly ms: number; readonly stack?: readonly StackFrame[] }
    | undefined;
  /** The stack of the longest stall of its own, or of one that nobody is known for; else one of its moments. */
  readonly ownStack: readonly StackFrame[] | undefined;
  /** The share of the moments at which it was seen that other work ran, while the loop turned and never rested. */
  readonly othersShare: number;
}

/** A stall of less CPU time than this share of its length, and than so many milliseconds, waited for the machine. */
const STARVED = 0.5;
const WORKED_MS = 80;
/** Calls of Node's that hold the thread and take no CPU time. */
const SYNCHRONOUS = /^node:(?:internal\/)?(?:fs|child_process)/;

/** Whether the process got too little of the machine to say that its code held the event loop. */
export function isStarved({ startedAt, endedAt, cpuMs, stack }: Stall): boolean {
  if (cpuMs === undefined || cpuMs >= WORKED_MS || cpuMs >= STARVED * (endedAt - startedAt)) return false;
  return stack === undefined || !stack.some(({ url }) => SYNCHRONOUS.test(url));
}

/**
 * @param moments what was seen to run while the loop turned and never rested
 * @param belongs whether the work that held the loop is the operation's own
 */
export function summarizeStalls(
  stalls: readonly Stall[],
  moments: readonly Stall[],
  from: number,
  to: number,
  belongs: (operation: BlockingOperation) => boolean,
): StallSummary {
  let ownMs = 0;
  let othersMs = 0;
  let unknownMs = 0;
  let other: StallSummary['other'];
  let own: { ms: number; stack: readonly StackFrame[] } | undefined;
  for (const stall of stalls) {
    const { startedAt, endedAt, operation, stack } = stall;
    const ms = Math.min(to, endedAt) - Math.max(from, startedAt);
    if (ms <= 0 || isStarved(stall)) continue;
    if (operation !== undefined && !belongs(operation)) {
      othersMs += ms;
      if (other === undefined || ms > other.ms)
        other = { operation, ms, ...(stack === undefined ? {} : { stack }) };
      continue;
    }
    if (operation === undefined) unknownMs += ms;
    else ownMs += ms;
    if (stack !== undefined && (own === undefined || ms > own.ms)) own = { ms, stack };
  }
  let ownMoments = 0;
  let othersMoments = 0;
  for (const { operation, stack } of moments) {
    if (operation === undefined) continue;
    if (belongs(operation)) {
      ownMoments++;
      if (stack !== undefined) own ??= { ms: 0, stack };
    } else {
      othersMoments++;
      other ??= { operation, ms: 0, ...(stack === undefined ? {} : { stack }) };
    }
  }
  const seen = ownMoments + othersMoments;
  return {
    ownMs,
    othersMs,
    unknownMs,
    other,
    ownStack: own?.stack,
    othersShare: seen === 0 ? 0 : othersMoments / seen,
  };
}

/**
 * The function that a line of the user's code had called when the stack was caught: `pbkdf2Sync`, and not what that
 * one is made of. Nothing where it was the user's own code that ran; the innermost one where none of it is the user's.
 */
export function calledFunction(stack: readonly StackFrame[] | undefined): string | undefined {
  if (stack === undefined) return undefined;
  const user = stack.findIndex(({ url }) => isUserCode(url));
  const frame = user < 0 ? stack[0] : stack[user - 1];
  return frame === undefined || frame.functionName === '' ? undefined : frame.functionName;
}
