import type { OperationType } from '../operation/operation.js';

/** What can be captured: where CPU time went, what allocated the memory that stayed, and every object of the heap. */
export const PROFILE_TYPES = ['cpu', 'allocations', 'heap_snapshot'] as const;
export type ProfileType = (typeof PROFILE_TYPES)[number];

/** The most seconds that a capture on demand may take. */
export const MAX_CAPTURE_SECONDS = 300;

/** Why it was captured. */
export type ProfileReason = 'slow_operation' | 'on_demand' | 'memory';

/** The ending of each type's file, as its readers expect it. */
export const FILE_EXTENSIONS: Readonly<Record<ProfileType, string>> = {
  cpu: 'cpuprofile',
  allocations: 'heapprofile',
  heap_snapshot: 'heapsnapshot',
};

/** One profile that is kept in the directory of profiles. Plain data, fit for JSON. */
export interface ProfileInfo {
  /** Unique; its file bears it. Holds nothing that came from outside. */
  id: string;
  type: ProfileType;
  reason: ProfileReason;
  /** When what it covers began, in milliseconds since 1970; and how long that lasted. */
  startedAt: number;
  durationMs: number;
  /**
   * Whose work it shows: the operation's alone, or all that the process did meanwhile where the two could not be told
   * apart.
   */
  scope: 'operation' | 'process';
  /** Samples of a CPU profile, idle ones included. */
  samples?: number;
  /** The slow operation that it was captured for. */
  operation?: { type: OperationType; name: string; traceId: string; spanId: string };
  /** The file's size and absolute path. */
  bytes: number;
  path: string;
}

/** A capture that is refused: the message says why, and what to do. */
export class CaptureRefusedError extends Error {
  override readonly name = 'CaptureRefusedError';
}
