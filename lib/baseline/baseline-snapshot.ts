import { keyOfHost } from '../operation/instance.js';

/** The learned data of one operation. */
export interface BaselineEntry {
  readonly type: string;
  readonly name: string;
  /** Operations behind it, older ones weighted less. */
  readonly count: number;
  /** Bytes of a `LatencySketch`. */
  readonly sketch: Uint8Array;
  /** Bytes of a `WindowModel`; empty if there is none yet. */
  readonly model: Uint8Array;
  /** When a regression became the new baseline, in milliseconds since 1970. All data in it is newer. */
  readonly rebasedAt?: number;
  /** Bytes of `OperationPeriods`; absent if there are none yet. */
  readonly periods?: Uint8Array;
}

/** The learned data of one instance and one version of a service. Moments in milliseconds since 1970. */
export interface BaselineSnapshot {
  readonly service: string;
  /** `service.version`, if known. */
  readonly version: string | undefined;
  /** The id of one run of a process, or of an archive of several runs. */
  readonly instance: string;
  readonly startedAt: number;
  readonly savedAt: number;
  /** The instances whose snapshots are merged into this one, so that readers do not count them twice. */
  readonly absorbs: readonly string[];
  readonly operations: readonly BaselineEntry[];
  /** Set if the run has shut down: it will save nothing more. */
  readonly ended?: true;
  /** Bytes of `ProcessMemory`; absent if nothing of it was recorded. */
  readonly memory?: Uint8Array;
  /** Saved counts of objectives, as plain JSON. */
  readonly slo?: unknown;
}

/** A snapshot to be written. Its operations may be created lazily, so that saving does not block the event loop. */
export type SnapshotToSave = Omit<BaselineSnapshot, 'operations'> & {
  readonly operations: Iterable<BaselineEntry>;
};

export const MAX_OPERATIONS = 10_000;
export const MAX_SNAPSHOT_BYTES = 64 * 1024 * 1024;
/** In characters: of a type, a name, a service, a version. */
export const MAX_NAME_LENGTH = 1024;
export const MAX_ABSORBED = 256;
/** Of one sketch or model. */
export const MAX_PART_BYTES = 64 * 1024;

const PID = /-(\d+)-[0-9a-f]{12}$/;

/**
 * Whether the run of a snapshot is over: it has shut down, has not saved since `staleAt`, or its process on this host is
 * gone. Processes on other hosts are assumed to live.
 */
export function isOverRun({ instance, savedAt, ended }: BaselineSnapshot, staleAt: number): boolean {
  if (ended === true || savedAt < staleAt) return true;
  const pid = Number(PID.exec(instance)?.[1]);
  if (!Number.isInteger(pid) || !instance.startsWith(`${keyOfHost()}-${pid}-`)) return false;
  // In a container, a new process often has the id of the previous one.
  return pid === process.pid || !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
