import type { HeapProfiler, Session } from 'node:inspector';
import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { CaptureRefusedError, type ProfileInfo, type ProfileReason } from './profile-info.js';
import type { NewProfile, ProfileStore } from './profile-store.js';

/** What to sample for how long, and for whom. */
export interface AllocationSamplingRequest {
  readonly id: string;
  readonly reason: ProfileReason;
  readonly seconds: number;
  readonly operation?: ProfileInfo['operation'];
  /** Aborts it: nothing is kept. */
  readonly signal?: AbortSignal;
}

/** Where the profile goes. */
export type AllocationStore = Pick<ProfileStore, 'newId' | 'write'> & Partial<Pick<ProfileStore, 'failure'>>;

/**
 * Bytes from one sample to the next, on average. A sample costs some 10 us: at 128 KB, code that does nothing but
 * allocate (2 GB a second) takes 20 % longer, and what allocates 100 MB a second 1 %. At 64 KB it is 40 %.
 */
export const INTERVAL_BYTES = 128 * 1024;

/** Samples what is allocated and stays: what is collected before the end is not in the profile. One at a time. */
export class AllocationSampling {
  private running = false;
  private finish: (() => void) | undefined;

  constructor(private readonly store: AllocationStore) {}

  /**
   * Does not keep the process alive. At the end V8 collects all garbage, twice: some 0.2 s for 100 MB.
   * @throws {@link CaptureRefusedError} where another one runs, in this class or from elsewhere, where this process cannot be
   * sampled, or where the profile could not be written; the signal's reason
   */
  async capture({ id, reason, seconds, operation, signal }: AllocationSamplingRequest): Promise<ProfileInfo> {
    signal?.throwIfAborted();
    if (this.running) throw new CaptureRefusedError('Allocations are being sampled already: one at a time.');
    const session = connect();
    this.running = true;
    try {
      start(session);
      const startedAt = Date.now();
      const begunAt = performance.now();
      const described = (): NewProfile => ({
        id,
        type: 'allocations',
        reason,
        startedAt,
        durationMs: Math.round(performance.now() - begunAt),
        scope: 'process',
        ...(operation !== undefined && { operation }),
      });
      const kept = await this.ended(seconds * 1000, signal, () => {
        const profile = described();
        return this.store.write(profile, JSON.stringify(stop(session)), signal);
      });
      if (kept !== undefined) return kept;
      throw new CaptureRefusedError(`The profile could not be kept: ${this.store.failure ?? 'see the log'}`);
    } finally {
      this.running = false;
      // Ends the sampling that was not stopped.
      session.disconnect();
    }
  }

  /** Ends the one that runs, with what it has: the profile is handed to the store before this returns. */
  finishNow(): void {
    this.finish?.();
  }

  private ended<T>(ms: number, signal: AbortSignal | undefined, write: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.finish = undefined;
        try {
          settle();
        } catch (error) {
          reject(error);
        }
      };
      const abort = (): void => end(() => reject(signal?.reason));
      const finish = (): void => end(() => resolve(write()));
      this.finish = finish;
      signal?.addEventListener('abort', abort);
      // Nobody waits any more once nothing else keeps the process alive.
      const timer = setTimeout(finish, ms).unref();
    });
  }
}

function connect(): Session {
  // Node does not always refuse a session then: some versions abort the process.
  if ('permission' in process && process.permission)
    throw new CaptureRefusedError(
      'Node runs with its permission model, which forbids to sample allocations.',
    );
  if (!process.features.inspector)
    throw new CaptureRefusedError('This Node has no inspector, through which allocations are sampled.');
  try {
    const inspector = process.getBuiltinModule('node:inspector');
    const session = new inspector.Session();
    session.connect();
    return session;
  } catch (error) {
    throw new CaptureRefusedError(`Allocations cannot be sampled: ${messageOf(error)}`);
  }
}

/** Answers of a session within its own thread come at once. */
function start(session: Session): void {
  // V8 has one sampler for all: another start would pass for a success, and our end would end the other one's.
  let others = false;
  session.post('HeapProfiler.getSamplingProfile', (error) => {
    others = !error;
  });
  if (others)
    throw new CaptureRefusedError('Allocations are being sampled by a debugger or another part already.');
  let failure: Error | null = null;
  session.post('HeapProfiler.startSampling', { samplingInterval: INTERVAL_BYTES }, (error) => {
    failure = error;
  });
  if (failure !== null) throw new CaptureRefusedError(`Allocations cannot be sampled: ${messageOf(failure)}`);
}

function stop(session: Session): HeapProfiler.SamplingHeapProfile {
  let profile: HeapProfiler.SamplingHeapProfile | undefined;
  let failure: Error | null = null;
  // V8 collects for each of the two: the first may end a collection that had begun, which leaves what was allocated since.
  session.post('HeapProfiler.getSamplingProfile');
  session.post('HeapProfiler.stopSampling', (error, result) => {
    failure = error;
    profile = result?.profile;
  });
  if (profile !== undefined) return profile;
  throw new CaptureRefusedError(`The sampling of allocations was ended by others: ${messageOf(failure)}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
