import type { OperationType } from '../operation/operation.js';

/** Types of profiles: where CPU time went, what allocated the memory still in use, and every object of the heap. */
export const PROFILE_TYPES = ['cpu', 'allocations', 'heap_snapshot'] as const;
export type ProfileType = (typeof PROFILE_TYPES)[number];

/** Maximum duration of a capture on demand, in seconds. */
export const MAX_CAPTURE_SECONDS = 300;

/** Why the profile was captured. */
export type ProfileReason = 'slow_operation' | 'on_demand' | 'memory';

/** The file extension of each type, as its readers expect it. */
export const FILE_EXTENSIONS: Readonly<Record<ProfileType, string>> = {
  cpu: 'cpuprofile',
  allocations: 'heapprofile',
  heap_snapshot: 'heapsnapshot',
};

/** A stored profile. Plain data that JSON can represent. */
export interface ProfileInfo {
  /** Unique; the file is named after it. Contains no external input. */
  id: string;
  type: ProfileType;
  reason: ProfileReason;
  /** Start of the profiled time in milliseconds since 1970, and its duration. */
  startedAt: number;
  durationMs: number;
  /**
   * Whose code it shows: only the operation's, or all of the process at that time if the two could not be separated.
   */
  scope: 'operation' | 'process';
  /** Number of samples of a CPU profile, idle ones included. */
  samples?: number;
  /** The slow operation that caused the capture. */
  operation?: { type: OperationType; name: string; traceId: string; spanId: string };
  /** The file's size in bytes and its absolute path. */
  bytes: number;
  path: string;
}

/** A capture was refused: the message says why, and what to do. */
export class CaptureRefusedError extends Error {
  override readonly name = 'CaptureRefusedError';
}
