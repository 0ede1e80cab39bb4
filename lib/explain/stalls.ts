import { isInApplicationPackage } from '../code/application-packages.js';
import { hasUserCode } from '../code/call-site.js';
import { type CodePosition, isBookkeeping, isOwnPosition, isUserPosition } from '../code/user-code.js';
import { type BlockingOperation, blockedMs, type StackFrame, type Stall } from '../process/stall.js';

/**
 * The times within an operation in which the event loop was blocked, by whose work blocked it, without those in which the
 * thread had no CPU.
 */
export interface StallSummary {
  readonly ownMs: number;
  readonly othersMs: number;
  readonly unknownMs: number;
  /** The part of all of them in which the thread waited for a synchronous call, without a CPU. */
  readonly synchronousMs: number;
  /** The other operation that blocked the loop longest, with its captured stack. */
  readonly other:
    | { readonly operation: BlockingOperation; readonly ms: number; readonly stack?: readonly StackFrame[] }
    | undefined;
  /** The stack of its longest own stall or moment with a line of the user's code, or of one by unknown work; else of any. */
  readonly ownStack: readonly StackFrame[] | undefined;
  /** Its own stalls and moments, or those by unknown work, of which a stack was captured. A moment counts as 1 ms. */
  readonly ownStacks: readonly { readonly ms: number; readonly stack: readonly StackFrame[] }[];
  /** While the loop was busy without a block: the share of the observed moments in which other work ran. */
  readonly othersShare: number;
}

/** The share of a stall in which code blocked the event loop: the thread had a CPU, or waited for a synchronous call. */
function blockedShare(stall: Stall): number {
  const ms = stall.endedAt - stall.startedAt;
  return ms > 0 ? blockedMs(stall) / ms : 0;
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
  let synchronousMs = 0;
  let other: StallSummary['other'];
  let own: { ms: number; stack: readonly StackFrame[] } | undefined;
  const ownStacks: { ms: number; stack: readonly StackFrame[] }[] = [];
  for (const stall of stalls) {
    const { startedAt, endedAt, operation, stack } = stall;
    const ms = (Math.min(to, endedAt) - Math.max(from, startedAt)) * blockedShare(stall);
    if (ms <= 0) continue;
    synchronousMs += Math.max(0, ms - (stall.cpuMs ?? ms));
    if (operation !== undefined && !belongs(operation)) {
      othersMs += ms;
      if (other === undefined || ms > other.ms)
        other = { operation, ms, ...(stack === undefined ? {} : { stack }) };
      continue;
    }
    if (operation === undefined) unknownMs += ms;
    else ownMs += ms;
    if (stack === undefined) continue;
    ownStacks.push({ ms, stack });
    if (isBetter(stack, ms, own)) own = { ms, stack };
  }
  let ownMoments = 0;
  let othersMoments = 0;
  for (const { operation, stack } of moments) {
    if (operation === undefined) continue;
    if (belongs(operation)) {
      ownMoments++;
      if (stack === undefined) continue;
      ownStacks.push({ ms: 1, stack });
      if (isBetter(stack, 0, own)) own = { ms: 0, stack };
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
    synchronousMs,
    other,
    ownStack: own?.stack,
    ownStacks,
    othersShare: seen === 0 ? 0 : othersMoments / seen,
  };
}

/** Whether a stack says more about its operation: it has a line of the user's code, or is that of a longer stall. */
function isBetter(
  stack: readonly StackFrame[],
  ms: number,
  than: { readonly ms: number; readonly stack: readonly StackFrame[] } | undefined,
): boolean {
  if (than === undefined) return true;
  const hasLine = hasUserCode(stack);
  return hasLine === hasUserCode(than.stack) ? ms > than.ms : hasLine;
}

/**
 * The function that a line of the user's code had called when the stack was captured: `pbkdf2Sync`, and not its
 * internals. Nothing where the user's own code or this library ran; the innermost function where no frame is the user's.
 */
export function calledFunction(
  captured: readonly StackFrame[] | undefined,
  isUser: (position: CodePosition) => boolean = isUserPosition,
): string | undefined {
  const stack = (captured ?? []).filter(({ url, functionName }) => !isBookkeeping(url, functionName));
  let user = stack.findIndex(isUser);
  if (user < 0) user = stack.findIndex(isInApplicationPackage);
  const name = (user < 0 ? stack[0] : stack[user - 1])?.functionName;
  const isOwn = stack.slice(0, user < 0 ? undefined : user).some(isOwnPosition);
  return isOwn || name === '' ? undefined : name;
}
