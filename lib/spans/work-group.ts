import type { RawFrame } from '../code/call-site.js';
import { isBackdated, type SpanTiming } from './span-timing.js';

/** Span ids that a group keeps. */
const MAX_SPAN_IDS = 20;

/** Identifies a piece of work, without its values. */
export interface WorkKey {
  /** Without literals: equal for the same work with other values. */
  readonly fingerprint: string;
  /** Low-cardinality, for people: `SELECT track`, `GET api.example.com`. */
  readonly name: string;
  /**
   * `read` and `write` may be repeated for each row of a result; `control` (BEGIN, COMMIT, SET, a ping) may not.
   */
  readonly effect: 'read' | 'write' | 'control';
  /** One page of many; a write of several rows; a read of at most one row. */
  readonly shape?: 'page' | 'rows' | 'row' | undefined;
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

/** Minus zero is a double from the start. Copied, because V8 may allocate the arrays of a literal in the old generation. */
const NO_TIMES = [-0, -0, -0, -0, -0, -0];

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
  /** Values and rows of all executions, where they are known. */
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

  /** The time between executions in which the request waited for no other work, and the event loop was idle. */
  get pauseMs(): number {
    return this.times[PAUSE] as number;
  }

  /** The first executions without an error, up to {@link MAX_SPAN_IDS}. */
  get spanIds(): string[] {
    return this.count === 0 ? [] : [this.firstSpanId, ...(this.moreSpanIds ?? [])];
  }

  /** @param idle how long the event loop has been idle while the request waited for no work */
  begin(parent: SpanTiming, now: number, idle: number): void {
    const { times } = this;
    if (this.started++ > 0) {
      if (this.owner !== parent) this.owner = commonAncestor(this.owner, parent);
      if (this.running > 0) this.overlapped++;
      else (times[PAUSE] as number) += Math.max(0, idle - (times[IDLE_AT_END] as number));
    }
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

  /** The time in which at least one execution ran, until `now`. */
  spentMs(now: number): number {
    return this.coveredMs + (this.running > 0 ? now - (this.times[RUNNING_SINCE] as number) : 0);
  }
}

/** The result of an execution. */
export interface WorkOutcome {
  readonly durationMs: number;
  readonly error: boolean;
  readonly inputs: Inputs | undefined;
  /** Its text was executed before the request started: none of its values comes from the request. */
  readonly constant?: boolean;
  /** The number of its values. */
  readonly size?: number | undefined;
  readonly rows: number | undefined;
  readonly spanId: string;
}

function sameInputs(a: Inputs, b: Inputs): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The innermost span around both, or the root if that is more than 64 levels up. */
export function commonAncestor(a: SpanTiming, b: SpanTiming): SpanTiming {
  let at: SpanTiming | undefined = a;
  for (let depth = 0; at !== undefined && depth < 64; depth++, at = at.parent) if (at.contains(b)) return at;
  return a.root;
}
