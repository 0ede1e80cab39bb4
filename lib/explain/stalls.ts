import { isUserCode } from '../code/call-site.js';
import type { BlockingOperation, StackFrame, Stall } from '../process/stall.js';

/** The times within an operation in which the event loop was blocked, by whose work blocked it. */
export interface StallSummary {
  readonly ownMs: number;
  readonly othersMs: number;
  readonly unknownMs: number;
  /** The other operation that blocked the loop longest, with its captured stack. */
  readonly other:
    | { readonly operation: BlockingOperation; readonly ms: number; readonly stack?: readonly StackFrame[] }
    | undefined;
  /** The stack of its longest own stall, or of one by unknown work; else of one of its moments. */
  readonly ownStack: readonly StackFrame[] | undefined;
  /** While the loop was busy without a block: the share of the observed moments in which other work ran. */
  readonly othersShare: number;
}

/** A stall with less CPU time than this share of its length, and than so many milliseconds, waited for a CPU. */
const STARVED = 0.5;
const WORKED_MS = 80;
/** Calls of Node's that block the thread and use no CPU time. */
const SYNCHRONOUS = /^node:(?:internal\/)?(?:fs|child_process)/;

/** Whether the process got too little CPU time to say that its code blocked the event loop. */
export function isStarved({ startedAt, endedAt, cpuMs, stack }: Stall): boolean {
  if (cpuMs === undefined || cpuMs >= WORKED_MS || cpuMs >= STARVED * (endedAt - startedAt)) return false;
  return stack === undefined || !stack.some(({ url }) => SYNCHRONOUS.test(url));
}

/**
 * @param moments what was observed to run while the loop was busy without a block
 * @param belongs whether the work that blocked the loop is the operation's own
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
 * The function that a line of the user's code had called when the stack was captured: `pbkdf2Sync`, and not its
 * internals. Nothing where the user's own code ran; the innermost function where no frame is the user's.
 */
export function calledFunction(stack: readonly StackFrame[] | undefined): string | undefined {
  if (stack === undefined) return undefined;
  const user = stack.findIndex(({ url }) => isUserCode(url));
  const frame = user < 0 ? stack[0] : stack[user - 1];
  return frame === undefined || frame.functionName === '' ? undefined : frame.functionName;
}
