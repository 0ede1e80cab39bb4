import type { RawFrame } from '../code/call-site.js';
import { isBackdated, type SpanTiming } from './span-timing.js';

/** How many spans of a group are remembered by their ids. */
const MAX_SPAN_IDS = 20;

/** What tells one piece of work from another of the same kind. */
export interface WorkKey {
  /** Without literals; equal for what does the same with other values. */
  readonly fingerprint: string;
  /** Low-cardinality, for people: `SELECT track`, `GET api.example.com`. */
  readonly name: string;
  /**
   * `read` and `write` are work that may be repeated for each row; `control` is not: BEGIN, COMMIT, SET, a ping.
   */
  readonly effect: 'read' | 'write' | 'control';
  /** One page of many; a write of several rows; a read of one row at the most. */
  readonly shape?: 'page' | 'rows' | 'row' | undefined;
}

/** Hashes of the values that a call was made with; absent where they are not known. */
export type Inputs = readonly number[];

// The times of a group, as one array of doubles: an object would box each of them.
const SUM = 0;
const MAX = 1;
const COVERED = 2;
const PAUSE = 3;
const RUNNING_SINCE = 4;
const IDLE_AT_END = 5;

/** Minus zero is a double from the start. Copied and not made anew, see {@link RequestWork}. */
const NO_TIMES = [-0, -0, -0, -0, -0, -0];

/** All that one request did of one fingerprint. Of one size however often that is. */
export class WorkGroup {
  started = 0;
  /** Those that ended without an error, and those with one: a retry is no repetition. */
  count = 0;
  errors = 0;
  /** How often one began while another ran. */
  overlapped = 0;
  /** Those whose values are known, and those among them with the same values as the first. */
  withInputs = 0;
  sameInputs = 0;
  /** How many values and rows they had together, as far as that is known. */
  values = 0;
  rows = 0;
  frames: readonly RawFrame[] | undefined = undefined;
  private running = 0;
  private firstInputs: Inputs | undefined = undefined;
  private firstSpanId = '';
  private moreSpanIds: string[] | undefined = undefined;
  private readonly times: number[];

  constructor(
    readonly key: WorkKey,
    readonly work: number,
    /** The innermost span that all of them ran in. */
    public owner: SpanTiming,
    /** The group of the same request that was made before. */
    public older: WorkGroup | undefined,
  ) {
    this.times = NO_TIMES.slice();
  }

  get isRunning(): boolean {
    return this.running > 0;
  }

  get sumMs(): number {
    return this.times[SUM] as number;
  }

  get maxMs(): number {
    return this.times[MAX] as number;
  }

  /** The time in which at least one of them ran. */
  get coveredMs(): number {
    return this.times[COVERED] as number;
  }

  /** Of the time between two of them: how long nothing was waited for and the event loop was idle, too. */
  get pauseMs(): number {
    return this.times[PAUSE] as number;
  }

  /** The first ones that ended without an error, {@link MAX_SPAN_IDS} at most. */
  get spanIds(): string[] {
    return this.count === 0 ? [] : [this.firstSpanId, ...(this.moreSpanIds ?? [])];
  }

  /** @param idle how long the request had waited for nothing with an idle loop until now */
  begin(parent: SpanTiming, now: number, idle: number): void {
    const { times } = this;
    if (this.started++ > 0) {
      if (this.owner !== parent) this.owner = commonAncestor(this.owner, parent);
      if (this.running > 0) this.overlapped++;
      else (times[PAUSE] as number) += Math.max(0, idle - (times[IDLE_AT_END] as number));
    }
    if (this.running++ === 0) times[RUNNING_SINCE] = now;
  }

  /** Forgets one that began, and was none. */
  withdraw(): void {
    this.started--;
    this.running--;
  }

  end(outcome: WorkOutcome, now: number, idle: number): void {
    const { times } = this;
    const { durationMs, inputs, size, rows, spanId } = outcome;
    if (--this.running === 0) {
      const covered = now - (times[RUNNING_SINCE] as number);
      (times[COVERED] as number) += isBackdated(durationMs, covered) ? durationMs : covered;
    }
    times[IDLE_AT_END] = idle;
    if (outcome.error) {
      this.errors++;
      return;
    }
    (times[SUM] as number) += durationMs;
    if (durationMs > (times[MAX] as number)) times[MAX] = durationMs;
    if (size !== undefined) this.values += size;
    if (rows !== undefined) this.rows += rows;
    if (inputs !== undefined) {
      this.withInputs++;
      this.firstInputs ??= inputs;
      if (sameInputs(this.firstInputs, inputs)) this.sameInputs++;
    }
    if (this.count++ === 0) {
      this.firstSpanId = spanId;
    } else {
      this.moreSpanIds ??= [];
      if (this.moreSpanIds.length < MAX_SPAN_IDS - 1) this.moreSpanIds.push(spanId);
    }
  }

  /** The time that the request spent in it until `now`, those that still run included. */
  spentMs(now: number): number {
    return this.coveredMs + (this.running > 0 ? now - (this.times[RUNNING_SINCE] as number) : 0);
  }
}

/** How one piece of work ended. */
export interface WorkOutcome {
  readonly durationMs: number;
  readonly error: boolean;
  readonly inputs: Inputs | undefined;
  /** The very text of it was known before the request began: none of its values comes from there. */
  readonly constant?: boolean;
  /** How many values it was made with. */
  readonly size?: number | undefined;
  readonly rows: number | undefined;
  readonly spanId: string;
}

function sameInputs(a: Inputs, b: Inputs): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The innermost span around both. Beyond a depth that no request has, the root. */
export function commonAncestor(a: SpanTiming, b: SpanTiming): SpanTiming {
  let at: SpanTiming | undefined = a;
  for (let depth = 0; at !== undefined && depth < 64; depth++, at = at.parent) if (at.contains(b)) return at;
  return a.root;
}
