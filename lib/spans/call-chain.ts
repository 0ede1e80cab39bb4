import { isConstantInput, isNameInput } from './inputs.js';
import type { SpanTiming } from './span-timing.js';
import { WORKS } from './work.js';
import { commonAncestor, type Inputs, type WorkGroup, type WorkKey, type WorkOutcome } from './work-group.js';

/** Different calls that a chain lists by name. */
const MAX_NAMES = 6;
/** Calls that are further apart, and further than they take, are parts of different work. */
const LONG_GAP_MS = 50;
/** Calls that a chain lists by span id. */
const MAX_SPAN_IDS = 20;

/** Sequential calls, none of which depended on another's result. */
export interface Chain {
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
  /** The innermost span around all of them. */
  readonly owner: SpanTiming;
  readonly names: readonly string[];
  readonly spanIds: readonly string[];
  /** Of the first call. */
  readonly fingerprint: string;
  /** Milliseconds by kind of work. */
  readonly spent: readonly number[];
  /** How many different calls there are, up to the number of names. */
  readonly fingerprints: number;
}

class OpenChain implements Chain {
  count = 0;
  sumMs = 0;
  maxMs = 0;
  owner: SpanTiming;
  readonly names: string[] = [];
  readonly spanIds: string[] = [];
  readonly spent = new Array<number>(WORKS).fill(0);
  private readonly seen: string[] = [];

  constructor(group: WorkGroup, outcome: WorkOutcome) {
    this.owner = group.owner;
    this.add(group, outcome);
  }

  get fingerprint(): string {
    return this.seen[0] as string;
  }

  get fingerprints(): number {
    return this.seen.length;
  }

  add({ owner, key, work }: WorkGroup, { durationMs, spanId }: WorkOutcome): void {
    this.count++;
    (this.spent[work] as number) += durationMs;
    this.sumMs += durationMs;
    this.maxMs = Math.max(this.maxMs, durationMs);
    this.owner = commonAncestor(this.owner, owner);
    if (spanId !== undefined && this.spanIds.length < MAX_SPAN_IDS) this.spanIds.push(spanId);
    if (this.seen.length >= MAX_NAMES || this.seen.includes(key.fingerprint)) return;
    this.seen.push(key.fingerprint);
    this.names.push(key.name);
  }
}

/**
 * Finds calls of one request that could have run in parallel: each is a read that starts after the previous one ended,
 * with no value that was unknown before the first. A call with unknown values neither joins nor ends a chain. A write
 * ends it, because later reads may depend on it.
 */
export class CallChain {
  /** The call that a chain may start with. The chain is created with the second call: most requests have none. */
  private firstGroup: WorkGroup | undefined = undefined;
  private firstOutcome: WorkOutcome | undefined = undefined;
  private open: OpenChain | undefined = undefined;
  private longest: Chain | undefined = undefined;
  /** When the last call ended and how long it took, in milliseconds. */
  private lastEnd = -0;
  private lastMs = -0;

  /** The chain that would save the most time if its calls ran in parallel. */
  get best(): Chain | undefined {
    const { open, longest } = this;
    return open !== undefined && (longest === undefined || parallelSavingMs(open) > parallelSavingMs(longest))
      ? open
      : longest;
  }

  /**
   * @param alone whether the request waited for nothing else when the call started
   * @param now when the call ended, in milliseconds
   */
  add(group: WorkGroup, outcome: WorkOutcome, alone: boolean, now: number): void {
    const { durationMs } = outcome;
    const gapMs = now - durationMs - this.lastEnd;
    if (gapMs > LONG_GAP_MS && gapMs > durationMs && gapMs > this.lastMs) this.close();
    this.lastEnd = now;
    this.lastMs = durationMs;
    const isRead = group.key.effect === 'read' && !outcome.error;
    const { inputs } = outcome;
    if (isRead && inputs === undefined) return;
    if (!isRead || !alone || inputs === undefined) {
      this.close();
      return;
    }
    const { firstGroup, firstOutcome } = this;
    if (
      firstGroup !== undefined &&
      firstOutcome !== undefined &&
      isKnownFrom(firstGroup, firstOutcome, group, outcome)
    ) {
      this.open ??= new OpenChain(firstGroup, firstOutcome);
      this.open.add(group, outcome);
      return;
    }
    this.close();
    this.firstGroup = group;
    this.firstOutcome = outcome;
  }

  /** Ends the chain: later calls do not belong to it. */
  close(): void {
    this.longest = this.best;
    this.open = undefined;
    this.firstGroup = undefined;
  }
}

/** A copy, which later calls do not change. */
export function snapshotOf(chain: Chain): Chain {
  const { count, sumMs, maxMs, owner, names, spanIds, fingerprint, spent, fingerprints } = chain;
  return { count, sumMs, maxMs, owner, names: [...names], spanIds, fingerprint, spent, fingerprints };
}

/**
 * Whether every value of a call is the first call's, too, or comes from no call at all: a setting, a name in a path of
 * another host, or a literal of a text that was executed before the request started.
 */
function isKnownFrom(
  { key: firstKey }: WorkGroup,
  first: WorkOutcome,
  { key }: WorkGroup,
  { inputs = NO_INPUTS, constant }: WorkOutcome,
): boolean {
  for (const input of inputs) {
    if (isConstantInput(input) || (constant === true && input < 0)) continue;
    if (isNameInput(input) && hostOf(key) !== hostOf(firstKey)) continue;
    if (first.inputs?.includes(input) !== true) return false;
  }
  return true;
}

/** `GET api.example.com` of an outgoing call. */
function hostOf({ fingerprint }: WorkKey): string {
  return fingerprint.slice(0, fingerprint.indexOf('/'));
}

const NO_INPUTS: Inputs = [];

/** The time in milliseconds that running the calls in parallel would save. */
export function parallelSavingMs({ sumMs, maxMs }: { sumMs: number; maxMs: number }): number {
  return sumMs - maxMs;
}
