import type { SpanTiming } from './span-timing.js';
import { WORKS } from './work.js';
import { commonAncestor, type Inputs, type WorkGroup, type WorkOutcome } from './work-group.js';

/** Calls that a chain names. */
const MAX_NAMES = 6;
/** How many of them are remembered by their ids. */
const MAX_SPAN_IDS = 20;

/** Calls that came one after the other though none needed what another had answered. */
export interface Chain {
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
  /** The innermost span that all of them ran in. */
  readonly owner: SpanTiming;
  readonly names: readonly string[];
  readonly spanIds: readonly string[];
  /** The first of them. */
  readonly fingerprint: string;
  /** Milliseconds by kind of work. */
  readonly spent: readonly number[];
  readonly fingerprints: number;
}

class OpenChain implements Chain {
  count = 1;
  sumMs: number;
  maxMs: number;
  owner: SpanTiming;
  readonly names: string[];
  readonly spanIds: string[];
  readonly spent = new Array<number>(WORKS).fill(0);
  private readonly seen: string[];

  constructor({ owner, key, work }: WorkGroup, durationMs: number, spanId: string) {
    this.sumMs = durationMs;
    this.maxMs = durationMs;
    this.owner = owner;
    this.names = [key.name];
    this.spanIds = [spanId];
    this.seen = [key.fingerprint];
    this.spent[work] = durationMs;
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
    if (this.spanIds.length < MAX_SPAN_IDS) this.spanIds.push(spanId);
    if (this.seen.length >= MAX_NAMES || this.seen.includes(key.fingerprint)) return;
    this.seen.push(key.fingerprint);
    this.names.push(key.name);
  }
}

/**
 * Finds calls that could have run side by side: each reads, begins after the one before has ended, and is made with
 * no value that was not known before the first of them. What is made with values that are not seen belongs to no
 * chain, and ends none; a write does, for what comes after it may read what it wrote.
 */
export class CallChain {
  /** A call that may be the first of a chain; nothing is made for it until there is a second one. */
  private first: WorkGroup | undefined = undefined;
  private firstInputs: Inputs | undefined = undefined;
  private firstMs = 0;
  private firstSpanId = '';
  private open: OpenChain | undefined = undefined;
  private longest: Chain | undefined = undefined;

  /** The chain by which the most time could be saved. */
  get best(): Chain | undefined {
    const { open, longest } = this;
    return open !== undefined && (longest === undefined || parallelSavingMs(open) > parallelSavingMs(longest))
      ? open
      : longest;
  }

  /** @param alone whether nothing else was waited for when the call began */
  add(group: WorkGroup, outcome: WorkOutcome, alone: boolean): void {
    const inputs = inputsOf(outcome);
    const reads = group.key.effect === 'read' && !outcome.error;
    if (reads && inputs === undefined) return;
    if (!reads || !alone || inputs === undefined) {
      this.close();
      return;
    }
    const { first, firstInputs } = this;
    if (first !== undefined && firstInputs !== undefined && within(inputs, firstInputs)) {
      this.open ??= new OpenChain(first, this.firstMs, this.firstSpanId);
      this.open.add(group, outcome);
      return;
    }
    this.close();
    this.first = group;
    this.firstInputs = inputs;
    this.firstMs = outcome.durationMs;
    this.firstSpanId = outcome.spanId;
  }

  /** Ends the chain: what comes next does not belong to it. */
  close(): void {
    this.longest = this.best;
    this.open = undefined;
    this.first = undefined;
  }
}

/** A chain as it is now. */
export function snapshotOf(chain: Chain): Chain {
  const { count, sumMs, maxMs, owner, names, spanIds, fingerprint, spent, fingerprints } = chain;
  return { count, sumMs, maxMs, owner, names: [...names], spanIds, fingerprint, spent, fingerprints };
}

const NONE: Inputs = [];

function inputsOf({ constant, inputs }: WorkOutcome): Inputs | undefined {
  return constant === true ? NONE : inputs;
}

function within(inputs: Inputs, known: Inputs): boolean {
  for (const input of inputs) if (!known.includes(input)) return false;
  return true;
}

/** What running them side by side would save. */
export function parallelSavingMs({ sumMs, maxMs }: { sumMs: number; maxMs: number }): number {
  return sumMs - maxMs;
}
