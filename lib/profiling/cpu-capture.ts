import type { Profiler, Session } from 'node:inspector';
import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { samplingBegins } from '../process/loop-idle.js';
import { windowOf } from './inspector-window.js';
import { CaptureRefusedError } from './profile-info.js';
import type { SampleWindow } from './sample-window.js';

/** Finer than the ring's: somebody waits for it, and it is over soon. */
const INTERVAL_MS = 1;

/**
 * Samples this thread for some seconds when it is asked to, through an inspector session of its own: neither the ring
 * nor a debugger is in its way.
 */
export class CpuCapture {
  private finish: (() => void) | undefined;

  get running(): boolean {
    return this.finish !== undefined;
  }

  /**
   * @param signal ends it, and what was sampled is lost
   * @throws {@link CaptureRefusedError} while another one runs, or where this process cannot be profiled
   */
  async capture(seconds: number, signal?: AbortSignal): Promise<SampleWindow> {
    signal?.throwIfAborted();
    if (this.running)
      throw new CaptureRefusedError('A CPU profile is being captured already: there is one at a time');
    const session = connect();
    const samplingEnds = samplingBegins();
    try {
      session.post('Profiler.enable');
      session.post('Profiler.setSamplingInterval', { interval: INTERVAL_MS * 1000 });
      const begunAt = performance.now();
      session.post('Profiler.start');
      await this.wait(seconds * 1000, signal);
      const profile = stop(session);
      if (profile === undefined) throw new CaptureRefusedError('V8 gave no profile');
      return windowOf(profile, INTERVAL_MS, { now: begunAt, clockUs: profile.startTime });
    } finally {
      samplingEnds();
      session.disconnect();
    }
  }

  /** Ends the one that runs, which then has what was sampled until now. */
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
      // Nobody waits any more once nothing else keeps the process alive.
      const timer = setTimeout(() => end(resolve), ms).unref();
    });
  }
}

function connect(): Session {
  if ('permission' in process && process.permission)
    throw new CaptureRefusedError('Node runs with its permission model, which forbids to profile');
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

/** Answers of a session within its own thread come at once. */
function stop(session: Session): Profiler.Profile | undefined {
  let profile: Profiler.Profile | undefined;
  session.post('Profiler.stop', (_error, result) => {
    profile = result?.profile;
  });
  return profile;
}
