import type { Profiler, Session } from 'node:inspector';
import { performance } from 'node:perf_hooks';
// Not the globals, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { asOwnPause } from '../async/own-pauses.js';
import { samplingBegins } from '../process/loop-idle.js';
import { windowOf } from './inspector-window.js';
import { CaptureRefusedError } from './profile-info.js';
import type { SampleWindow } from './sample-window.js';

/** Shorter than the ring's interval, because the capture is requested and short. */
const INTERVAL_MS = 1;

/**
 * Samples this thread for some seconds on request, through its own inspector session, so that neither the ring nor a
 * debugger interferes.
 */
export class CpuCapture {
  private finish: (() => void) | undefined;

  get running(): boolean {
    return this.finish !== undefined;
  }

  /**
   * @param signal aborts the capture: the samples are dropped
   * @throws {@link CaptureRefusedError} if a capture is running, or if this process cannot be profiled
   */
  async capture(seconds: number, signal?: AbortSignal): Promise<SampleWindow> {
    signal?.throwIfAborted();
    if (this.running)
      throw new CaptureRefusedError('A CPU profile is already being captured. Try again when it has ended.');
    const session = connect();
    const samplingEnds = samplingBegins();
    try {
      const begunAt = asOwnPause(() => start(session));
      await this.wait(seconds * 1000, signal);
      return asOwnPause(() => {
        const profile = stop(session);
        if (profile === undefined) throw new CaptureRefusedError('V8 returned no profile');
        return windowOf(profile, INTERVAL_MS, { now: begunAt, clockUs: profile.startTime });
      });
    } finally {
      samplingEnds();
      session.disconnect();
    }
  }

  /** Ends the current capture early, with the samples taken so far. */
  finishNow(): void {
    this.finish?.();
  }

  private wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.finish = undefined;
        settle();
      };
      const abort = (): void => end(() => reject(signal?.reason));
      this.finish = () => end(resolve);
      signal?.addEventListener('abort', abort);
      // The result is not worth keeping the process alive.
      const timer = setTimeout(() => end(resolve), ms).unref();
    });
  }
}

function connect(): Session {
  if ('permission' in process && process.permission)
    throw new CaptureRefusedError("Node's permission model is enabled, which forbids profiling");
  try {
    const inspector = process.getBuiltinModule('node:inspector');
    const session = new inspector.Session();
    session.connect();
    return session;
  } catch (error) {
    throw new CaptureRefusedError(
      `This process cannot be profiled: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** @returns when it started, on the clock of `performance.now()` */
function start(session: Session): number {
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: INTERVAL_MS * 1000 });
  const begunAt = performance.now();
  session.post('Profiler.start');
  return begunAt;
}

/** A session in its own thread calls back synchronously. */
function stop(session: Session): Profiler.Profile | undefined {
  let profile: Profiler.Profile | undefined;
  session.post('Profiler.stop', (_error, result) => {
    profile = result?.profile;
  });
  return profile;
}
