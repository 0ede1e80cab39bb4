import { captureUserFrames, type RawFrame } from '../code/call-site.js';
import { TYPE_ATTRIBUTE } from '../spans/classify.js';
import type { LiveSpan, OperationRecorder } from '../spans/live-span.js';
import type { SdkSpan } from '../spans/sdk-span.js';
import { describeSpan } from '../spans/span-description.js';
import { knownStatements } from '../spans/statement.js';
import { CONNECTION_POOL, DATABASE } from '../spans/work.js';

/** The most that is kept: more than the requests of a test make, and less than the heap. */
export const MAX_OPERATIONS = 20_000;

/** The line that asks, and the one that calls it: who asks in a loop is often the latter. */
const MAX_FRAMES = 2;

type Counted = NonNullable<Parameters<OperationRecorder['ended']>[1]>;

/** An operation that ended. */
export interface KeptOperation extends Counted {
  readonly state: LiveSpan;
  readonly query: { statement: string; values: string | undefined } | undefined;
  /** The lines of the user's code that began it, the innermost first. */
  readonly frames: readonly RawFrame[];
}

/** Keeps what begins while it records, with the line that begins it. */
export class Recorder implements OperationRecorder {
  readonly kept: KeptOperation[] = [];
  /** There was more than can be kept. */
  overflowed = false;
  private readonly roots = new Set<LiveSpan>();
  private readonly running = new Map<LiveSpan, readonly RawFrame[]>();
  /** Whence a pool was asked last, by who asked and by the pool's own span: it calls the driver without a trace. */
  private readonly askedPool = new Map<LiveSpan | undefined, readonly RawFrame[]>();
  /** Database spans around another one, as an ORM's around its driver's: the inner one is the query. */
  private readonly outer = new Set<LiveSpan>();
  private begun = 0;
  private onEnded: (() => void) | undefined;

  /** @param around the operation that the test itself runs in, if any */
  constructor(around: LiveSpan | undefined) {
    if (around !== undefined) this.roots.add(around.root);
  }

  started(state: LiveSpan): void {
    // What belongs to a request from before is another test's.
    if (state.parent !== undefined && !this.roots.has(state.root)) return;
    if (++this.begun > MAX_OPERATIONS) {
      this.overflowed = true;
      return;
    }
    if (state.parent === undefined) this.roots.add(state);
    this.running.set(state, captureUserFrames(MAX_FRAMES));
    if (state.work !== DATABASE) return;
    for (let at = state.parent; at !== undefined; at = at.parent)
      if (at.work === DATABASE) this.outer.add(at);
  }

  ended(state: LiveSpan, counted?: Counted): void {
    if (counted !== undefined && this.running.has(state)) this.keep(state, counted);
    this.running.delete(state);
    this.onEnded?.();
  }

  /** The outermost operations that still run. */
  unfinished(): LiveSpan[] {
    return [...this.roots].filter((root) => !root.ended && this.running.has(root));
  }

  /** Whether an operation is a query, and no span around one. */
  isQuery({ state, query }: KeptOperation): boolean {
    return query !== undefined && !this.outer.has(state);
  }

  /** Waits until all that began has ended, this long at the most. */
  async settle(ms: number): Promise<void> {
    if (this.unfinished().length === 0) return;
    await new Promise<void>((resolve) => {
      const timer = realSetTimeout(resolve, ms);
      this.onEnded = () => {
        if (this.unfinished().length > 0) return;
        realClearTimeout(timer);
        resolve();
      };
    });
    this.onEnded = undefined;
  }

  private keep(state: LiveSpan, counted: Counted): void {
    const own = this.running.get(state) ?? [];
    const asker = state.parent;
    if (state.work === CONNECTION_POOL && own.length > 0) {
      this.askedPool.set(asker, own);
      // Asked outside of any span, it calls the driver within its own.
      this.askedPool.set(state, own);
    }
    const query = counted.type === 'database' ? this.queryOf(state, counted.name) : undefined;
    const frames = own.length > 0 || query === undefined ? own : (this.askedPool.get(asker) ?? []);
    this.kept.push({ ...counted, state, query, frames });
  }

  /** A span without a statement opens a connection, or the like; a method of the user's that says so is a query. */
  private queryOf(state: LiveSpan, name: string): KeptOperation['query'] {
    if (state.work === CONNECTION_POOL) return undefined;
    const span = state.span as SdkSpan;
    const { key, inputs } = describeSpan(span, knownStatements, 'database');
    if (key === undefined)
      return span.attributes[TYPE_ATTRIBUTE] === undefined
        ? undefined
        : { statement: name, values: undefined };
    if (key.effect === 'control') return undefined;
    return { statement: key.fingerprint, values: (state.inputs ?? inputs)?.join() };
  }
}

// A test may use fake timers while it records.
const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = globalThis;
