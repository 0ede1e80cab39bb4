import type { IncomingMessage } from 'node:http';
import { captureUserFrames, type RawFrame } from '../code/call-site.js';
import { TYPE_ATTRIBUTE } from '../spans/classify.js';
import type { LiveSpan, OperationRecorder } from '../spans/live-span.js';
import type { SdkSpan } from '../spans/sdk-span.js';
import { describeSpan } from '../spans/span-description.js';
import { knownStatements } from '../spans/statement.js';
import { CONNECTION_POOL, DATABASE, WORKS } from '../spans/work.js';
import { isMeasuredServer } from '../tracing/http-server.tracer.js';

/** The maximum number of recorded operations, which bounds memory. */
export const MAX_OPERATIONS = 20_000;

/** The call site and its caller: a loop over queries is often in the caller. */
const MAX_FRAMES = 2;

/** The requests without a measurement that are named. */
const MAX_UNSERVED = 100;

type Counted = NonNullable<Parameters<OperationRecorder['ended']>[1]>;

/** An operation that ended. */
export interface KeptOperation extends Counted {
  readonly state: LiveSpan;
  readonly query: { statement: string; values: string | undefined } | undefined;
  /** The frames of user code that started it, the innermost first. */
  readonly frames: readonly RawFrame[];
}

/** Records the operations that start during a recording, with their call sites. */
export class Recorder implements OperationRecorder {
  readonly kept: KeptOperation[] = [];
  /** Whether the limit was exceeded. */
  overflowed = false;
  /** The requests that were made and not measured. */
  readonly unserved = new Map<object, string>();
  private readonly roots = new Set<LiveSpan>();
  private readonly running = new Map<LiveSpan, readonly RawFrame[]>();
  /** The call site of the last connection that a pool handed over, by the requesting span and the pool's own: it hides the caller. */
  private readonly poolCallers = new Map<LiveSpan | undefined, readonly RawFrame[]>();
  /** Database spans that contain another one, as an ORM's span contains its driver's. The inner one is the query. */
  private readonly outer = new Set<LiveSpan>();
  private startedCount = 0;
  private onEnded: (() => void) | undefined;

  /** @param active the span that the test itself runs in, if any */
  constructor(active: LiveSpan | undefined) {
    if (active !== undefined) this.roots.add(active.root);
  }

  started(state: LiveSpan): void {
    // Operations of earlier requests belong to another test.
    if (state.parent !== undefined && !this.roots.has(state.root)) return;
    if (++this.startedCount > MAX_OPERATIONS) {
      this.overflowed = true;
      return;
    }
    if (state.parent === undefined) this.roots.add(state);
    const own = captureUserFrames(MAX_FRAMES);
    const isHidden = own.length === 0 && state.work === DATABASE;
    this.running.set(state, isHidden ? (this.poolCallers.get(state.parent) ?? own) : own);
    if (state.work !== DATABASE) return;
    for (let at = state.parent; at !== undefined; at = at.parent)
      if (at.work === DATABASE) this.outer.add(at);
  }

  connectionRequested(parent: LiveSpan | undefined): () => void {
    const own = captureUserFrames(MAX_FRAMES);
    return () => {
      if (own.length > 0) this.poolCallers.set(parent, own);
    };
  }

  ended(state: LiveSpan, counted?: Counted): void {
    if (counted !== undefined && this.running.has(state)) this.keep(state, counted);
    this.running.delete(state);
    this.onEnded?.();
  }

  /** The root operations that are still running. */
  unfinished(): LiveSpan[] {
    return [...this.roots].filter((root) => !root.ended && this.running.has(root));
  }

  /** Whether an operation is a query, and not a span that contains one. */
  isQuery({ state, query }: KeptOperation): boolean {
    return query !== undefined && !this.outer.has(state);
  }

  /** A request reached the application, and its handler is not measured. */
  unmeasured(request: object): void {
    const { socket, method, url } = request as Partial<IncomingMessage>;
    const { server } = (socket ?? {}) as { server?: unknown };
    // Its path is one of `http.ignore`, or the server has noticed it.
    if (server === undefined) this.addUnserved(request, nameOf(method, url, 'injected'));
  }

  /** A server of this process receives a request. */
  received(request: IncomingMessage, server: unknown): void {
    // What the application under test calls, such as a mock of another service, is no request of the test.
    const isInside = this.unfinished().some(({ work }) => work >= WORKS);
    if (isMeasuredServer(server) || isInside) return;
    this.addUnserved(request, nameOf(request.method, request.url, request.headers.host ?? 'no host'));
  }

  private addUnserved(request: object, name: string): void {
    if (this.unserved.size < MAX_UNSERVED) this.unserved.set(request, name);
  }

  /** Waits up to `ms` milliseconds until all started operations have ended. */
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
    const { parent } = state;
    if (state.work === CONNECTION_POOL && own.length > 0) {
      this.poolCallers.set(parent, own);
      // Without a parent span, the driver's span becomes a child of the pool's.
      this.poolCallers.set(state, own);
    }
    const query = counted.type === 'database' ? this.queryOf(state, counted.name) : undefined;
    this.kept.push({ ...counted, state, query, frames: own });
  }

  /** The query of a database span; undefined without a statement (such as connect), except for tracked methods. */
  private queryOf(state: LiveSpan, name: string): KeptOperation['query'] {
    if (state.work === CONNECTION_POOL) return undefined;
    const span = state.span as SdkSpan;
    const { key, inputs } = state.description ?? describeSpan(span, knownStatements, 'database');
    if (key === undefined)
      return span.attributes[TYPE_ATTRIBUTE] === undefined
        ? undefined
        : { statement: name, values: undefined };
    if (key.effect === 'control') return undefined;
    return { statement: key.fingerprint, values: (state.inputs ?? inputs)?.join() };
  }
}

/** `GET /albums (127.0.0.1:3000)` */
function nameOf(method = 'HTTP', url = '', where: string): string {
  return `${method} ${url.split(/[?#]/, 1)[0]} (${where})`;
}

// Tests may install fake timers.
const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = globalThis;
