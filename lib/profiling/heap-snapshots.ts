import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
// Not the global, which a test of the application may have replaced.
import { setImmediate } from 'node:timers';
import { getHeapSnapshot } from 'node:v8';
import { asOwnPause } from '../async/own-pauses.js';
import { memoryRoom } from './memory-limits.js';
import { CaptureRefusedError, type ProfileInfo, type ProfileReason } from './profile-info.js';
import type { NewProfile, ProfileStore } from './profile-store.js';
import { type SnapshotLimits, SnapshotQuota } from './snapshot-quota.js';

/** A heap snapshot that is requested. */
export interface HeapSnapshotRequest {
  readonly id: string;
  readonly reason: ProfileReason;
  readonly operation?: ProfileInfo['operation'];
  /**
   * The operation's type and name, to which the cooldown applies. Without it, the snapshot is on demand and the quota
   * does not apply.
   */
  readonly operationKey?: string;
  /** Aborts the capture: nothing is kept. V8 still completes the step that it is executing. */
  readonly signal?: AbortSignal;
}

const MB = 1024 * 1024;
/**
 * Memory outside the heap that a snapshot takes per byte of heap: V8's graph and its JSON, which Node holds until it is
 * read. Measured as growth of the resident set on Node 20, 22, 24 and 26 with heaps of 20 to 300 MB: 14.6 for parsed
 * JSON, 8 to 12 for other small objects, 4.8 for strings, 4 to 5.4 for a NestJS application after start-up, 1 for
 * numbers. V8 does not report beforehand what the heap consists of.
 */
const FACTOR = 16;
/**
 * The same for large objects. Each array element gets a string of its own: 1.3 KB for 8 bytes (4.8 GB for an array of 4
 * million references). Large strings take hardly anything, but cannot be separated from arrays.
 */
const LARGE_FACTOR = 165;
/** Left for the rest of the process during the snapshot. */
const RESERVE_BYTES = 32 * MB;
/**
 * V8 collects several times for a snapshot, and ends the process if four consecutive collections leave the old
 * generation more than 80 % full (`Ineffective mark-compacts near heap limit`). Measured with `--max-old-space-size` of
 * 64 and 128 on Node 20 and 24: the process survives at 80 % and dies at 90 %.
 */
const MAX_FILL = 0.75;
/** How long a lack of memory is cached: checking it reads files, and slow operations may be frequent. */
const SHORTAGE_MS = 1000;

/** Takes heap snapshots when they cannot end the process. A snapshot blocks the thread for seconds. */
export class HeapSnapshots {
  private readonly quota: SnapshotQuota;
  private running = false;
  private shortage: { readonly until: number; readonly sentence: string } | undefined;

  /**
   * @param room returns the available memory
   * @param now returns the time in milliseconds since 1970
   */
  constructor(
    private readonly store: Pick<ProfileStore, 'write' | 'flush' | 'failure'>,
    limits: SnapshotLimits,
    private readonly room = memoryRoom,
    private readonly now: () => number = Date.now,
  ) {
    this.quota = new SnapshotQuota(limits);
  }

  /** Why no snapshot may be taken now, as a sentence with figures; undefined if one may. Cheap. */
  refusal(operationKey?: string): string | undefined {
    if (this.running) return 'A heap snapshot is already being taken. Try again when it has ended.';
    const now = this.now();
    const often = operationKey === undefined ? undefined : this.quota.refusal(operationKey, now);
    if (often !== undefined) return often;
    if (this.shortage !== undefined && now < this.shortage.until && now >= this.shortage.until - SHORTAGE_MS)
      return this.shortage.sentence;
    const sentence = this.danger();
    this.shortage = sentence === undefined ? undefined : { until: now + SHORTAGE_MS, sentence };
    return sentence;
  }

  /**
   * Takes a snapshot after the current turn of the event loop.
   * @throws {@link CaptureRefusedError} with the {@link refusal}, or why it could not be written; the signal's reason
   * if aborted
   */
  async capture(request: HeapSnapshotRequest): Promise<ProfileInfo> {
    const { operationKey, signal } = request;
    signal?.throwIfAborted();
    refuse(this.refusal(operationKey));
    this.running = true;
    try {
      // The operation's response is sent first, and only one snapshot at a time waits in memory to be written.
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
    const pieces = asOwnPause(() => {
      const written = piecesOf(getHeapSnapshot());
      stopObjectTracking();
      return written;
    });
    const profile: NewProfile = {
      id,
      type: 'heap_snapshot',
      reason,
      startedAt,
      durationMs: Math.round(performance.now() - begunAt),
      scope: 'process',
      ...(operation !== undefined && { operation }),
    };
    const kept = await this.store.write(profile, Readable.from(pieces), signal);
    if (kept !== undefined) return kept;
    throw new CaptureRefusedError(
      `The heap snapshot could not be stored: ${this.store.failure ?? 'see the log'}`,
    );
  }

  /** Why a snapshot could end the process; undefined if it is safe. */
  private danger(): string | undefined {
    const without = whyNoInspector();
    if (without !== undefined)
      return `${without}, which is needed to end V8's object tracking after a heap snapshot.`;
    const { heapUsedBytes, heapLargeBytes, heapLimitBytes, availableBytes, limitBytes } = this.room();
    const used = mb(heapUsedBytes);
    if (heapUsedBytes > heapLimitBytes * MAX_FILL) {
      return `The heap holds ${used} of ${mb(heapLimitBytes)}: above ${MAX_FILL * 100} % V8 may end the process during a heap snapshot. Raise --max-old-space-size.`;
    }
    const needed = (heapUsedBytes - heapLargeBytes) * FACTOR + heapLargeBytes * LARGE_FACTOR + RESERVE_BYTES;
    if (needed > availableBytes) {
      const limit = limitBytes === undefined ? '' : ` within its limit of ${mb(limitBytes)}`;
      return `A heap snapshot of a heap of ${used} may take ${mb(needed)} of memory, but the process can take only ${mb(availableBytes)} more${limit}.`;
    }
    return undefined;
  }
}

/**
 * The JSON of a snapshot, all of which V8 has ready at the first read: earlier versions of Node as one piece, later ones as
 * many. The stream is not left to a reader, as that of Node 20.19 is never closed.
 */
function piecesOf(snapshot: Readable): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let piece = snapshot.read(); piece !== null; piece = snapshot.read()) pieces.push(piece as Buffer);
  return pieces;
}

/**
 * After a snapshot V8 keeps tracking where every object moves, so that snapshots can be compared: code that allocates
 * much takes four to ten times as long until the process ends (measured on Node 20 to 26). The end of any inspector
 * session stops the tracking. An attached debugger may be comparing snapshots itself.
 */
function stopObjectTracking(): void {
  try {
    const inspector = process.getBuiltinModule('node:inspector');
    if (inspector.url() !== undefined) return;
    const session = new inspector.Session();
    session.connect();
    session.disconnect();
  } catch {
    // The snapshot is valid all the same.
  }
}

/** Some versions of Node abort the process instead of refusing the session. */
function whyNoInspector(): string | undefined {
  if ('permission' in process && process.permission) return 'The permission model forbids the inspector';
  return process.features.inspector ? undefined : 'This build of Node has no inspector';
}

function refuse(sentence: string | undefined): void {
  if (sentence !== undefined) throw new CaptureRefusedError(sentence);
}

function mb(bytes: number): string {
  return `${Math.round(bytes / MB)} MB`;
}
