import { performance } from 'node:perf_hooks';
import { isMainThread, type Worker } from 'node:worker_threads';
import { publishCapture } from './capture-registry.js';
import { CELL, CELLS, PHASE } from './shared-cells.js';
import { startWatching } from './watching-thread.js';

/** One stack holds the main thread for about a millisecond: eight in a row, and then two a second. */
const BURST = 8;
const REFILL_MS = 500;
/** A loop that is idle for less than a tenth of so many milliseconds does not rest. */
const REST_MS = 50;
const RESTING_SHARE = 0.1;
/** A thread that sleeps so much longer than it asked to was not alone in standing still. Less is a busy machine. */
const OVERSLEPT_MS = 100;
/** How long an end of the process waits for the inspector session that is just open: it takes a few milliseconds. */
const PATIENCE_MS = 250;

/** The life of the watching thread, seen from the main one. Without it stalls are measured and have no stack. */
export class CaptureThread {
  /** What the inspector calls; the frames above it are not the application's. */
  readonly entry: () => void;
  /** Others for each thread: one that is about to end must not be told to go on. */
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

  /** Why there are no stacks now, if so. */
  get reason(): string | undefined {
    if (this.failure !== undefined) return this.failure;
    return inspectorUrl() === undefined ? undefined : 'an inspector is attached: stacks are left to it';
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
      const worker = startWatching({
        cells: this.cells,
        origin: Number(process.hrtime.bigint()) / 1e6 - performance.now(),
        expression,
        burst: BURST,
        refillMs: REFILL_MS,
        restMs: REST_MS,
        restingShare: RESTING_SHARE,
        oversleptMs: OVERSLEPT_MS,
        cell: CELL,
        phase: PHASE,
      });
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

  /** @param idle how long the event loop has been idle until now */
  beat(now: number, idle: number): void {
    Atomics.store(this.cells, CELL.idle, idle);
    Atomics.store(this.cells, CELL.beat, now);
    this.frozenBefore = Atomics.load(this.cells, CELL.frozen);
  }

  /** For how long since the last heartbeat the process stood still as a whole, as far as the thread can tell. */
  frozenMs(now: number): number {
    const { cells } = this;
    if (this.worker === undefined || Atomics.load(cells, CELL.phase) !== PHASE.watching) return 0;
    const frozen = (Atomics.load(cells, CELL.frozen) - this.frozenBefore) | 0;
    const asleep = (now - Atomics.load(cells, CELL.slept)) | 0;
    const overslept = asleep - Atomics.load(cells, CELL.limit);
    return frozen + (overslept > OVERSLEPT_MS ? overslept : 0);
  }

  /** Lets no session begin any more and waits for the one that is open: Node would print that it waits. */
  private readonly close = (): void => {
    const { cells } = this;
    if (closed(cells)) return;
    const clock = new Int32Array(new SharedArrayBuffer(4));
    const until = performance.now() + PATIENCE_MS;
    while (!closed(cells) && performance.now() < until) Atomics.wait(clock, 0, 0, 1);
    // The end of the session arrives as an interrupt, which is served between two calls.
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

function refusal(): string | undefined {
  if (!isMainThread) return 'not the main thread: only its stack can be captured';
  // Node does not refuse the connection then: it aborts the process.
  if ('permission' in process && process.permission) return 'Node runs with its permission model';
  return undefined;
}

function closed(cells: Int32Array): boolean {
  if (Atomics.compareExchange(cells, CELL.phase, PHASE.watching, PHASE.closing) === PHASE.attached)
    return false;
  Atomics.notify(cells, CELL.phase);
  return true;
}

/** Where a debugger listens. Asked anew: it can be opened by a signal at any time. */
function inspectorUrl(): string | undefined {
  try {
    return process.getBuiltinModule('node:inspector').url();
  } catch {
    return undefined;
  }
}
