import { performance } from 'node:perf_hooks';
import { runInThisContext } from 'node:vm';
import { isMainThread, Worker } from 'node:worker_threads';
import { processWide, processWideExpression } from '../async/process-wide.js';
import { CELL, CELLS, OVERSLEPT_MS, PHASE, type WatchData } from './shared-cells.js';
import { WATCHING_THREAD } from './watching-thread-source.js';

/** The thread holds a few numbers, and an inspector session for a moment. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 };
/** How long the end of the process waits for an open inspector session: a session takes a few milliseconds. */
const PATIENCE_MS = 250;

/** The watching thread, seen from the main thread. Without it, stalls are measured but have no stack. */
export class CaptureThread {
  /** The function that the inspector calls; the frames above it are not the application's. */
  readonly entry: () => void;
  /** New for each thread: a thread that is about to end must not resume. */
  private cells: Int32Array = new Int32Array(CELLS);
  private worker: Worker | undefined;
  private withdraw: (() => void) | undefined;
  private failure: string | undefined;
  private frozenBefore = 0;

  constructor(capture: () => void) {
    this.entry = () => {
      if (inspectorUrl() === undefined) capture();
    };
  }

  /** Why no stack can be captured now; undefined if one can. */
  get reason(): string | undefined {
    if (this.failure !== undefined) return this.failure;
    return inspectorUrl() === undefined
      ? undefined
      : 'a debugger is attached to the inspector, so no stacks are captured';
  }

  /** The number of the thread at the operating system, as in `/proc/self/task`; 0 where there is none or it is unknown. */
  get number(): number {
    return this.worker === undefined ? 0 : Atomics.load(this.cells, CELL.thread);
  }

  start(now: number, limitMs: number): void {
    this.failure = refusal();
    if (this.failure !== undefined) return;
    try {
      this.cells = new Int32Array(new SharedArrayBuffer(CELLS * 4));
      this.setLimit(limitMs);
      this.beat(now, 0);
      Atomics.store(this.cells, CELL.slept, now);
      const { expression, withdraw } = publishCapture(this.entry);
      this.withdraw = withdraw;
      const origin = Number(process.hrtime.bigint()) / 1e6 - performance.now();
      const worker = startWatching({ cells: this.cells, origin, expression });
      this.worker = worker;
      worker.once('error', (error) => this.failed(worker, error));
      worker.once('exit', () => this.failed(worker, new Error('it ended')));
      process.on('exit', this.close);
    } catch (error) {
      this.failed(this.worker, error);
    }
  }

  stop(): void {
    const { worker } = this;
    this.worker = undefined;
    if (worker !== undefined) this.close();
    this.release();
    worker?.terminate().catch(() => undefined);
  }

  setLimit(limitMs: number): void {
    Atomics.store(this.cells, CELL.limit, limitMs);
  }

  /** @param idle total idle time of the event loop, in milliseconds */
  beat(now: number, idle: number): void {
    this.turned(now, idle);
    if (Atomics.exchange(this.cells, CELL.rests, 0) === 1) Atomics.notify(this.cells, CELL.phase);
  }

  /**
   * The heartbeat rests.
   * @param overdueAt when the next beat is so late that the loop is blocked
   */
  rest(overdueAt: number, idle: number): void {
    this.turned(overdueAt - Atomics.load(this.cells, CELL.limit), idle);
    Atomics.store(this.cells, CELL.rests, 1);
  }

  private turned(beat: number, idle: number): void {
    Atomics.store(this.cells, CELL.idle, idle);
    Atomics.store(this.cells, CELL.beat, beat);
    this.frozenBefore = Atomics.load(this.cells, CELL.frozen);
  }

  /** Milliseconds since the last heartbeat in which the whole process was stopped, as far as the thread has measured. */
  frozenMs(now: number): number {
    const { cells } = this;
    if (this.worker === undefined || Atomics.load(cells, CELL.phase) !== PHASE.watching) return 0;
    const frozen = (Atomics.load(cells, CELL.frozen) - this.frozenBefore) | 0;
    const asleep = (now - Atomics.load(cells, CELL.slept)) | 0;
    const overslept = asleep - Atomics.load(cells, CELL.limit);
    return frozen + (overslept > OVERSLEPT_MS ? overslept : 0);
  }

  /** Prevents new inspector sessions and waits for an open one: Node would print that it waits for it. */
  private readonly close = (): void => {
    const { cells } = this;
    if (closed(cells)) return;
    const clock = new Int32Array(new SharedArrayBuffer(4));
    const until = performance.now() + PATIENCE_MS;
    while (!closed(cells) && performance.now() < until) Atomics.wait(clock, 0, 0, 1);
    // The end of the session arrives as an interrupt, which V8 serves between two calls.
    Atomics.wait(clock, 0, 0, 1);
    Atomics.store(cells, CELL.phase, PHASE.closing);
  };

  private release(): void {
    this.withdraw?.();
    this.withdraw = undefined;
    process.removeListener('exit', this.close);
  }

  private failed(worker: Worker | undefined, error: unknown): void {
    if (worker !== this.worker) return;
    this.worker = undefined;
    this.release();
    const message = error instanceof Error ? error.message : String(error);
    this.failure = `the watching thread failed: ${message}`;
  }
}

/** Starts a thread that keeps neither the process nor its output open, and inherits none of its options. */
function startWatching(data: WatchData): Worker {
  const worker = new Worker(WATCHING_THREAD, {
    eval: true,
    workerData: data,
    execArgv: [],
    env: {},
    stdin: false,
    stdout: true,
    stderr: true,
    name: 'nestjs-performance watchdog',
    resourceLimits: RESOURCE_LIMITS,
  });
  worker.unref();
  return worker;
}

/** Makes a function callable from an expression that the inspector evaluates on the main thread. */
function publishCapture(capture: () => void): { expression: string; withdraw: () => void } {
  // The inspector evaluates in the process's first context; a test runner may run this code in another one.
  const scope = runInThisContext('globalThis') as object;
  const captures = processWide('captures', () => new Map<number, () => void>(), scope);
  // Copies of this package share the map.
  let id = 0;
  while (captures.has(id)) id++;
  captures.set(id, capture);
  return {
    expression: `${processWideExpression('captures')}?.get(${id})?.()`,
    withdraw: () => captures.delete(id),
  };
}

function refusal(): string | undefined {
  if (!isMainThread) return 'not the main thread: only the stack of the main thread can be captured';
  // Node would not refuse the connection but abort the process.
  if ('permission' in process && process.permission)
    return "Node's permission model is enabled, which forbids the inspector";
  return undefined;
}

function closed(cells: Int32Array): boolean {
  if (Atomics.compareExchange(cells, CELL.phase, PHASE.watching, PHASE.closing) === PHASE.attached)
    return false;
  Atomics.notify(cells, CELL.phase);
  return true;
}

/** Where a debugger listens. Read each time: a signal can open the inspector at any moment. */
function inspectorUrl(): string | undefined {
  try {
    return process.getBuiltinModule('node:inspector').url();
  } catch {
    return undefined;
  }
}
