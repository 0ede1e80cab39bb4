import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** What is known of one operation. */
export interface BaselineEntry {
  readonly type: string;
  readonly name: string;
  /** Operations behind it, the older ones counted less. */
  readonly count: number;
  /** Bytes of a `LatencySketch`. */
  readonly sketch: Uint8Array;
  /** Bytes of a `WindowModel`; empty where there is none yet. */
  readonly model: Uint8Array;
  /** When a regression was taken for the new normal, in milliseconds since 1970: all in it came after that. */
  readonly rebasedAt?: number;
}

/** What one instance has learned of one version of a service. Moments are milliseconds since 1970. */
export interface BaselineSnapshot {
  readonly service: string;
  /** `service.version`, where it is known. */
  readonly version: string | undefined;
  /** The run of a process that it is of, or what an archive of several is called. */
  readonly instance: string;
  readonly startedAt: number;
  readonly savedAt: number;
  /** The instances whose snapshots are merged into this one, so that nobody counts them twice. */
  readonly absorbs: readonly string[];
  readonly operations: readonly BaselineEntry[];
  /** The run has ended by itself: nothing will be added to it. */
  readonly ended?: true;
  /** Whatever is kept beside, as plain JSON. */
  readonly slo?: unknown;
}

/** A snapshot to be written: its operations may be made one after another, so that no pause comes of it. */
export type SnapshotToSave = Omit<BaselineSnapshot, 'operations'> & {
  readonly operations: Iterable<BaselineEntry>;
};

export const MAX_OPERATIONS = 10_000;
export const MAX_SNAPSHOT_BYTES = 64 * 1024 * 1024;
/** Characters of a type, a name, a service, a version. */
export const MAX_NAME_LENGTH = 1024;
export const MAX_ABSORBED = 256;
/** Bytes of one sketch or model. */
export const MAX_PART_BYTES = 64 * 1024;

const INSTANCE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Whether it can be an instance's id, and with it part of a file's name. */
export function isInstanceId(value: unknown): value is string {
  return typeof value === 'string' && INSTANCE.test(value);
}

/** An id for this run of this process: `host-pid-random`. */
export function newInstanceId(): string {
  return `${hostPart()}-${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** The machine's name as it stands in an id. */
export function hostPart(): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9.-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return host === '' ? 'host' : host;
}
