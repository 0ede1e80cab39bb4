import { performance } from 'node:perf_hooks';
// Not the global one, which a test of the application may have replaced.
import { setImmediate } from 'node:timers';
import { getHeapSnapshot } from 'node:v8';
import { memoryRoom } from './memory-limits.js';
import { CaptureRefusedError, type ProfileInfo, type ProfileReason } from './profile-info.js';
import type { NewProfile, ProfileStore } from './profile-store.js';
import { type SnapshotLimits, SnapshotQuota } from './snapshot-quota.js';

/** What a heap snapshot is taken for. */
export interface HeapSnapshotRequest {
  readonly id: string;
  readonly reason: ProfileReason;
  readonly operation?: ProfileInfo['operation'];
  /** The operation's type and name, which is what limits in time go by. Without, somebody asked for it: they do not hold. */
  readonly operationKey?: string;
  /** Aborts it: nothing is kept. What V8 does at one go, it ends. */
  readonly signal?: AbortSignal;
}

const MB = 1024 * 1024;
/**
 * What a snapshot takes outside of the heap for each byte of it: V8's graph, and then its JSON, all of which Node holds
 * until it is read. Measured as growth of the resident set on Node 20, 22, 24 and 26, heaps of 20 to 300 MB: 14.6 for
 * parsed JSON, 8 to 12 for other small objects, 4.8 for texts, 4 to 5.4 for a NestJS application that just started, 1
 * for numbers. What the heap is made of, V8 does not tell before.
 */
const FACTOR = 16;
/**
 * The same for large objects. Each place of an array gets a text of its own: 1.3 KB for 8 bytes (4.8 GB for an array of 4
 * million references). Large texts take hardly anything, but cannot be told apart.
 */
const LARGE_FACTOR = 165;
/** Is left for what else the process does meanwhile. */
const RESERVE_BYTES = 32 * MB;
/**
 * V8 collects several times for a snapshot, and ends the process if four collections in a row leave the old generation
 * more than 80 % full (`Ineffective mark-compacts near heap limit`). Measured with `--max-old-space-size` of 64 and 128,
 * on Node 20 and 24: at 80 % it lives, at 90 % it dies.
 */
const MAX_FILL = 0.75;
/** For so long a lack of memory is not looked at again: that reads files, and slow operations may come in numbers. */
const LACK_MS = 1000;

/** Takes heap snapshots, where they endanger nothing. One stops the thread for seconds. */
export class HeapSnapshots {
  private readonly quota: SnapshotQuota;
  private running = false;
  private lack: { readonly until: number; readonly sentence: string } | undefined;

  /**
   * @param room what the process may still take
   * @param now the time in milliseconds since 1970
   */
  constructor(
    private readonly store: Pick<ProfileStore, 'write' | 'flush' | 'failure'>,
    limits: SnapshotLimits,
    private readonly room = memoryRoom,
    private readonly now: () => number = Date.now,
  ) {
    this.quota = new SnapshotQuota(limits);
  }

  /** Why none may be taken now, as a sentence with the figures. Nothing if one may. Cheap. */
  refusal(operationKey?: string): string | undefined {
    if (this.running) return 'A heap snapshot is being taken already: there is one at a time.';
    const now = this.now();
    const often = operationKey === undefined ? undefined : this.quota.refusal(operationKey, now);
    if (often !== undefined) return often;
    if (this.lack !== undefined && now < this.lack.until && now >= this.lack.until - LACK_MS)
      return this.lack.sentence;
    const sentence = this.danger();
    this.lack = sentence === undefined ? undefined : { until: now + LACK_MS, sentence };
    return sentence;
  }

  /**
   * Takes one, once what this turn of the event loop has to do is done.
   * @throws {@link CaptureRefusedError} with the {@link refusal}, or why it could not be written; the signal's reason
   */
  async capture(request: HeapSnapshotRequest): Promise<ProfileInfo> {
    const { operationKey, signal } = request;
    signal?.throwIfAborted();
    refuse(this.refusal(operationKey));
    this.running = true;
    try {
      // The operation's answer goes out first, and no snapshot waits in memory for others to be written.
      await new Promise((resolve) => setImmediate(resolve));
      await this.store.flush();
      signal?.throwIfAborted();
      refuse(this.danger());
      if (operationKey !== undefined) this.quota.count(operationKey, this.now());
      return await this.take(request);
    } finally {
      this.running = false;
    }
  }

  private async take({ id, reason, operation, signal }: HeapSnapshotRequest): Promise<ProfileInfo> {
    const startedAt = this.now();
    const begunAt = performance.now();
    const snapshot = getHeapSnapshot();
    forgetObjectIds();
    const profile: NewProfile = {
      id,
      type: 'heap_snapshot',
      reason,
      startedAt,
      durationMs: Math.round(performance.now() - begunAt),
      scope: 'process',
      ...(operation !== undefined && { operation }),
    };
    const kept = await this.store.write(profile, snapshot, signal);
    if (kept !== undefined) return kept;
    throw new CaptureRefusedError(
      `The heap snapshot could not be kept: ${this.store.failure ?? 'see the log'}`,
    );
  }

  /** Why a snapshot could end the process, if it could. */
  private danger(): string | undefined {
    const without = whyNoInspector();
    if (without !== undefined) return `${without}, without which nothing ends what a heap snapshot starts.`;
    const { heapUsedBytes, heapLargeBytes, heapLimitBytes, availableBytes, limitBytes } = this.room();
    const used = mb(heapUsedBytes);
    if (heapUsedBytes > heapLimitBytes * MAX_FILL) {
      return `The heap holds ${used} of ${mb(heapLimitBytes)}: above ${MAX_FILL * 100} % V8 may end the process during a heap snapshot. Raise --max-old-space-size.`;
    }
    const needed = (heapUsedBytes - heapLargeBytes) * FACTOR + heapLargeBytes * LARGE_FACTOR + RESERVE_BYTES;
    if (needed > availableBytes) {
      const limit = limitBytes === undefined ? '' : ` within its limit of ${mb(limitBytes)}`;
      return `A heap snapshot of ${used} may take ${mb(needed)} of memory, and the process may take ${mb(availableBytes)} more${limit}.`;
    }
    return undefined;
  }
}

/**
 * For snapshots that are to be compared, V8 goes on to note where every object moves: what allocates much then takes
 * four to ten times as long, until the process ends (measured on Node 20 to 26). The end of any inspector session
 * makes it stop. Where a debugger is attached, it may be the debugger that compares.
 */
function forgetObjectIds(): void {
  try {
    const inspector = process.getBuiltinModule('node:inspector');
    if (inspector.url() !== undefined) return;
    const session = new inspector.Session();
    session.connect();
    session.disconnect();
  } catch {
    // The snapshot is there all the same.
  }
}

/** Node does not always refuse a session then: some versions abort the process. */
function whyNoInspector(): string | undefined {
  if ('permission' in process && process.permission) return 'The permission model forbids the inspector';
  return process.features.inspector ? undefined : 'This Node has no inspector';
}

function refuse(sentence: string | undefined): void {
  if (sentence !== undefined) throw new CaptureRefusedError(sentence);
}

function mb(bytes: number): string {
  return `${Math.round(bytes / MB)} MB`;
}
