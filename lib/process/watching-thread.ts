import { Worker } from 'node:worker_threads';
import type { WatchData } from './shared-cells.js';

type Session = import('node:inspector').Session;
type Inspector = typeof import('node:inspector');
type WorkerThreads = typeof import('node:worker_threads');

/** Small: it holds a few numbers, and an inspector session for a moment. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 };

/**
 * Runs in the thread, from its own source text: nothing of this file but its parameter may be named in it. Its parts
 * are methods, for bundlers that keep names wrap every other function in a helper that the thread does not have.
 *
 * Sleeps until the newest heartbeat would be too old, so about once a limit while the loop turns. When it is too
 * old, or the loop turns and never rests, it has one expression evaluated on the main thread, which V8 does in the middle of what runs there: nothing
 * is paused, so nothing can be left paused, and the debugger with its list of all scripts stays off.
 */
/* istanbul ignore next: counters of coverage do not exist in the thread */
function watch(load: (name: string) => unknown): void {
  const { Session } = load('node:inspector') as Inspector;
  const { workerData } = load('node:worker_threads') as WorkerThreads;
  const { cells, origin, expression, burst, refillMs, restMs, restingShare, oversleptMs, cell, phase } =
    workerData as WatchData;
  const thread = {
    /** The heartbeat seen last, and for how long the process has stood still since. */
    seen: 0,
    frozenMs: 0,
    askedFor: undefined as number | undefined,
    /** Stacks that may be taken now, and when that was counted. */
    tokens: burst,
    countedAt: 0,
    /** The heartbeat and the idle time from which on it is measured whether the loop rests. */
    restBeat: 0,
    restIdle: 0,

    now(): number {
      return Number(process.hrtime.bigint()) / 1e6 - origin;
    },

    /** Returns by how much it slept longer than asked, where that is more than what a busy machine does. */
    sleep(ms: number): number {
      const before = thread.now();
      Atomics.store(cells, cell.slept, before);
      Atomics.wait(cells, cell.phase, phase.watching, ms);
      const overslept = thread.now() - before - ms;
      if (overslept < oversleptMs) return 0;
      Atomics.add(cells, cell.frozen, overslept);
      return overslept;
    },

    mayAsk(at: number): boolean {
      thread.tokens = Math.min(burst, thread.tokens + (at - thread.countedAt) / refillMs);
      thread.countedAt = at;
      return thread.tokens >= 1;
    },

    /** Whether the loop has turned for a while without resting. */
    isRestless(beat: number): boolean {
      const turned = (beat - thread.restBeat) | 0;
      if (turned < restMs) return false;
      const idle = Atomics.load(cells, cell.idle);
      const rested = (idle - thread.restIdle) | 0;
      thread.restBeat = beat;
      thread.restIdle = idle;
      return rested < turned * restingShare;
    },

    look(): void {
      let overslept = 0;
      while (Atomics.load(cells, cell.phase) === phase.watching) {
        const limit = Atomics.load(cells, cell.limit);
        const beat = Atomics.load(cells, cell.beat);
        const at = thread.now();
        thread.frozenMs = overslept + (beat === thread.seen ? thread.frozenMs : 0);
        thread.seen = beat;
        const silent = ((at - beat) | 0) - thread.frozenMs;
        const wanted = silent < limit ? thread.isRestless(beat) : beat !== thread.askedFor;
        if (wanted && thread.mayAsk(at)) {
          if (silent >= limit) thread.askedFor = beat;
          thread.tokens--;
          thread.ask(beat, limit);
          return;
        }
        overslept = thread.sleep(silent < limit ? Math.min(limit - silent, restMs) : limit);
      }
    },

    ask(beat: number, limit: number): void {
      if (Atomics.compareExchange(cells, cell.phase, phase.watching, phase.attached) !== phase.watching)
        return;
      const session = new Session();
      // A native call can keep the answer waiting for long, a loop that turns again cannot.
      let turned = 0;
      const patience = setInterval(() => {
        if (Atomics.load(cells, cell.beat) !== beat && ++turned > 2) thread.leave(session, patience);
      }, limit);
      session.connectToMainThread();
      session.post('Runtime.evaluate', { expression, silent: true, returnByValue: true }, () =>
        thread.leave(session, patience),
      );
    },

    /** A session that is closed answers what it was asked, so this can be called twice. */
    leave(session: Session, patience: NodeJS.Timeout): void {
      clearInterval(patience);
      session.disconnect();
      const { attached, watching } = phase;
      if (Atomics.compareExchange(cells, cell.phase, attached, watching) !== attached) return;
      Atomics.notify(cells, cell.phase);
      setImmediate(thread.look);
    },
  };
  thread.look();
}

/** Starts the thread. It keeps neither the process nor its output open, and takes none of its options over. */
export function startWatching(data: WatchData): Worker {
  // Bundlers that keep names wrap functions in a helper of theirs, which the thread does not have.
  const source = `const __name = (target) => target;\n(${watch.toString()})(require);`;
  const worker = new Worker(source, {
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
