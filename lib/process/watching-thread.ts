/*
 * The program of the watching thread. It is not imported: tools/build-thread.mjs bundles it into the string of
 * watching-thread-source.ts, which a Worker evaluates. A file of its own would be lost when an application bundles this
 * package into one file.
 */
import { readlinkSync } from 'node:fs';
import { Session } from 'node:inspector';
import { workerData } from 'node:worker_threads';
import { CELL, OVERSLEPT_MS, PHASE, type WatchData } from './shared-cells.js';

/** A stack holds the main thread for about a millisecond: at most eight in a row, then two per second. */
const BURST = 8;
const REFILL_MS = 500;
/** The loop is restless if it was idle for less than a tenth of at least 50 ms. */
const REST_MS = 50;
const RESTING_SHARE = 0.1;
/** Heartbeats after which a session without an answer is given up: only a native call can delay the answer. */
const MAX_BEATS_ATTACHED = 2;

/**
 * Sleeps until the next heartbeat is overdue, so it wakes about once per limit while the loop turns. If the heartbeat is
 * overdue, or the loop turns without rest, it evaluates one expression on the main thread. V8 runs that between two calls
 * of the blocking code: nothing is paused, so nothing can stay paused, and the debugger with its list of all scripts stays
 * off.
 */
class WatchingThread {
  private lastBeat = 0;
  /** How long the process has stood still since the last heartbeat. */
  private frozenMs = 0;
  /** The heartbeat after which a stack was requested: one is enough for a block. */
  private capturedBeat: number | undefined;
  private tokens = BURST;
  private refilledAt = 0;
  /** The heartbeat and the idle time since which rest is measured. */
  private restBeat = 0;
  private restIdle = 0;

  constructor(
    private readonly cells: Int32Array,
    private readonly origin: number,
    private readonly expression: string,
  ) {}

  watch(): void {
    let oversleptMs = 0;
    while (this.read(CELL.phase) === PHASE.watching) {
      const limit = this.read(CELL.limit);
      const beat = this.read(CELL.beat);
      const now = this.now();
      this.frozenMs = oversleptMs + (beat === this.lastBeat ? this.frozenMs : 0);
      this.lastBeat = beat;
      const silentMs = ((now - beat) | 0) - this.frozenMs;
      const isBlocked = silentMs >= limit;
      const isWanted = isBlocked ? beat !== this.capturedBeat : this.isRestless(beat);
      if (isWanted && this.takeToken(now)) {
        if (isBlocked) this.capturedBeat = beat;
        this.capture(beat, limit);
        return;
      }
      // While the heartbeat rests, the loop is not restless.
      const longestMs = this.read(CELL.rests) === 1 ? limit - silentMs : REST_MS;
      oversleptMs = this.sleep(isBlocked ? limit : Math.min(limit - silentMs, longestMs), limit);
    }
  }

  /** Milliseconds of oversleep; 0 if a busy machine explains them. */
  private sleep(ms: number, limit: number): number {
    const before = this.now();
    Atomics.store(this.cells, CELL.slept, before + Math.max(0, ms - limit));
    Atomics.wait(this.cells, CELL.phase, PHASE.watching, ms);
    const oversleptMs = this.now() - before - ms;
    if (oversleptMs < OVERSLEPT_MS) return 0;
    Atomics.add(this.cells, CELL.frozen, oversleptMs);
    return oversleptMs;
  }

  private takeToken(now: number): boolean {
    this.tokens = Math.min(BURST, this.tokens + (now - this.refilledAt) / REFILL_MS);
    this.refilledAt = now;
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }

  private isRestless(beat: number): boolean {
    const turnedMs = (beat - this.restBeat) | 0;
    // Negative after a rest, during which the cell holds a later time.
    if (turnedMs >= 0 && turnedMs < REST_MS) return false;
    const idle = this.read(CELL.idle);
    const restedMs = (idle - this.restIdle) | 0;
    this.restBeat = beat;
    this.restIdle = idle;
    return turnedMs > 0 && restedMs < turnedMs * RESTING_SHARE;
  }

  private capture(beat: number, limit: number): void {
    if (!this.enter(PHASE.watching, PHASE.attached)) return;
    const session = new Session();
    let beats = 0;
    const patience = setInterval(() => {
      if (this.read(CELL.beat) !== beat && ++beats > MAX_BEATS_ATTACHED) detach();
    }, limit);
    // Runs twice if patience ends first: a session that disconnects still calls back what was posted.
    const detach = (): void => {
      clearInterval(patience);
      session.disconnect();
      if (!this.enter(PHASE.attached, PHASE.watching)) return;
      Atomics.notify(this.cells, CELL.phase);
      setImmediate(() => this.watch());
    };
    session.connectToMainThread();
    const { expression } = this;
    session.post('Runtime.evaluate', { expression, silent: true, returnByValue: true }, detach);
  }

  private enter(from: number, to: number): boolean {
    return Atomics.compareExchange(this.cells, CELL.phase, from, to) === from;
  }

  private read(cell: number): number {
    return Atomics.load(this.cells, cell);
  }

  private now(): number {
    return Number(process.hrtime.bigint()) / 1e6 - this.origin;
  }
}

/** Linux only: `1234/task/1240`. */
function threadNumber(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1)) || 0;
  } catch {
    return 0;
  }
}

const { cells, origin, expression } = workerData as WatchData;
Atomics.store(cells, CELL.thread, threadNumber());
new WatchingThread(cells, origin, expression).watch();
