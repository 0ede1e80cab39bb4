import type { RawFrame } from '../code/call-site.js';
import type { RemoteTiming } from './server-timing.js';
import type { SpanTiming } from './span-timing.js';

/** Span ids that a group keeps. */
const MAX_SPAN_IDS = 20;

/** Identifies a piece of work, without its values. */
export interface WorkKey {
  /** Without literals: equal for the same work with other values. */
  readonly fingerprint: string;
  /** Low-cardinality, for people: `SELECT track`, `GET api.example.com`. */
  readonly name: string;
  /**
   * `read` and `write` may be repeated for each row of a result; `control` (BEGIN, COMMIT, SET, a ping, a call whose
   * path is unknown) may not.
   */
  readonly effect: 'read' | 'write' | 'control';
  /** A write of several rows; a read of at most one row. */
  readonly shape?: 'rows' | 'row' | undefined;
  /** Present if some of its values may select a page of many. */
  readonly page?: PageInputs | undefined;
}

/** Which of the {@link Inputs} of a call select a page, as bits by their position. */
export interface PageInputs {
  /** The number of inputs of a call whose values are known. Positions mean nothing in a call with another number. */
  readonly inputs: number;
  /** Those that select a page: an offset, a limit, a cursor. */
  readonly pages: number;
  /** Those that are bound, and so may be unknown. */
  readonly bound: number;
}

/** Hashes of the values of a call; absent where they are unknown. */
export type Inputs = readonly number[];

// The times of a group, as one array of doubles: an object would box each of them.
const SUM = 0;
const MAX = 1;
const COVERED = 2;
const PAUSE = 3;
const RUNNING_SINCE = 4;
const IDLE_AT_END = 5;
const WAITED = 6;
const DRIVER = 7;
const FIRST_START = 8;
const LAST_END = 9;

/** Minus zero is a double from the start. Copied, because V8 may allocate the arrays of a literal in the old generation. */
const NO_TIMES = [-0, -0, -0, -0, -0, -0, -0, -0, -0, -0];

/** All executions of one fingerprint within one request, in constant memory. */
export class WorkGroup {
  started = 0;
  /** Executions that ended without an error, and with one. A retry is no repetition. */
  count = 0;
  errors = 0;
  /** Executions that started while another ran. */
  overlapped = 0;
  /** Executions with known values, and those of them with the values of the first. */
  withInputs = 0;
  sameInputs = 0;
  /** The positions of inputs that differed from those of the first, as bits; all of them if there were more or fewer. */
  movedInputs = 0;
  /** Successful executions that started while the request waited for nothing else, and outside of a transaction. */
  alone = 0;
  /** Values and rows of all executions, where they are known. */
  values = 0;
  rows = 0;
  /** What the called service says of the longest execution. */
  remote: RemoteTiming | undefined = undefined;
  frames: readonly RawFrame[] | undefined = undefined;
  /** Whether a captured stack had no line of the application. */
  hasEmptyStack = false;
  private running = 0;
  private firstInputs: Inputs | undefined = undefined;
  private listed: string[] | undefined = undefined;
  private readonly times: number[];

  constructor(
    readonly key: WorkKey,
    readonly work: number,
    /** The innermost span around all executions. */
    public owner: SpanTiming,
    /** The group of the same request that was created before. */
    public older: WorkGroup | undefined,
  ) {
    this.times = NO_TIMES.slice();
  }

  get isRunning(): boolean {
    return this.running > 0;
  }

  /** Executions without an error, those that still run included: a request may end before the last of them. */
  get executions(): number {
    return this.count + this.running;
  }

  /** The number of inputs of the first execution with known values. */
  get inputCount(): number {
    return this.firstInputs?.length ?? 0;
  }

  get sumMs(): number {
    return this.times[SUM] as number;
  }

  get maxMs(): number {
    return this.times[MAX] as number;
  }

  /** The time in which at least one execution ran. */
  get coveredMs(): number {
    return this.times[COVERED] as number;
  }

  /** The time in which the request waited for an execution with an idle event loop, shared with other work. */
  get waitedMs(): number {
    return this.times[WAITED] as number;
  }

  /** The CPU time of drivers and the like for its executions, as far as it is known to be theirs. */
  get driverMs(): number {
    return this.times[DRIVER] as number;
  }

  /** The time between executions in which the request waited for no other work, and the event loop was idle. */
  get pauseMs(): number {
    return this.times[PAUSE] as number;
  }

  /** When the first execution started and the last one ended, in milliseconds. */
  get firstStart(): number {
    return this.times[FIRST_START] as number;
  }

  get lastEnd(): number {
    return this.times[LAST_END] as number;
  }

  /** The first executions without an error, up to {@link MAX_SPAN_IDS}, where their ids are given. */
  get spanIds(): readonly string[] {
    return this.listed ?? [];
  }

  /** @param idle how long the event loop has been idle while the request waited for no work */
  begin(parent: SpanTiming, now: number, idle: number): void {
    const { times } = this;
    if (this.started++ > 0) {
      if (this.owner !== parent) this.owner = commonAncestor(this.owner, parent);
      if (this.running > 0) this.overlapped++;
      else (times[PAUSE] as number) += Math.max(0, idle - (times[IDLE_AT_END] as number));
    } else times[FIRST_START] = now;
    if (this.running++ === 0) times[RUNNING_SINCE] = now;
  }

  /** Removes an execution that started. */
  withdraw(): void {
    this.started--;
    this.running--;
  }

  end(outcome: WorkOutcome, now: number, idle: number): void {
    const { times } = this;
    const { durationMs, inputs, size, rows, spanId } = outcome;
    if (--this.running === 0) (times[COVERED] as number) += now - (times[RUNNING_SINCE] as number);
    (times[WAITED] as number) += outcome.waitedMs ?? 0;
    (times[DRIVER] as number) += outcome.driverMs ?? 0;
    times[IDLE_AT_END] = idle;
    times[LAST_END] = now;
    if (outcome.error) {
      this.errors++;
      return;
    }
    (times[SUM] as number) += durationMs;
    if (durationMs > (times[MAX] as number)) {
      times[MAX] = durationMs;
      this.remote = outcome.remote;
    }
    if (size !== undefined) this.values += size;
    if (rows !== undefined) this.rows += rows;
    if (inputs !== undefined) {
      this.withInputs++;
      this.firstInputs ??= inputs;
      const moved = movedInputs(this.firstInputs, inputs);
      if (moved === 0) this.sameInputs++;
      else this.movedInputs |= moved;
    }
    this.count++;
    if (spanId === undefined) return;
    this.listed ??= [];
    if (this.listed.length < MAX_SPAN_IDS) this.listed.push(spanId);
  }

  /** The time in which at least one execution ran, until `now`. */
  spentMs(now: number): number {
    return this.coveredMs + (this.running > 0 ? now - (this.times[RUNNING_SINCE] as number) : 0);
  }
}

/** The result of an execution. */
export interface WorkOutcome {
  readonly durationMs: number;
  /** Its share of the time in which its parent waited with an idle event loop, in milliseconds. */
  readonly waitedMs?: number;
  /** The CPU time of its driver, in milliseconds, at most. */
  readonly driverMs?: number;
  readonly error: boolean;
  /** It was executed within one call, so that nothing could have run beside it. */
  readonly isSynchronous?: boolean;
  readonly inputs: Inputs | undefined;
  /** Its text was executed before the request started: none of its literals comes from the request. */
  readonly constant?: boolean;
  /** The number of its values. */
  readonly size?: number | undefined;
  readonly rows: number | undefined;
  /** Of an outgoing call: what the called service says of its time. */
  readonly remote?: RemoteTiming | undefined;
  /** Where the calls of a finding are listed. */
  readonly spanId?: string;
}

/** The positions at which the inputs of two calls differ, as bits. */
function movedInputs(a: Inputs, b: Inputs): number {
  if (a.length !== b.length) return -1;
  let moved = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) moved |= 1 << i;
  return moved;
}

/** The innermost span around both, or the root if that is more than 64 levels up. */
export function commonAncestor(a: SpanTiming, b: SpanTiming): SpanTiming {
  let at: SpanTiming | undefined = a;
  for (let depth = 0; at !== undefined && depth < 64; depth++, at = at.parent) if (at.contains(b)) return at;
  return a.root;
}
