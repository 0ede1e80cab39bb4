import type { ChangeVerdict, MeasureChange, OperationChange } from './operation-change.js';
import type { ProcessChange } from './process-change.js';

/** One version of a service, as far as it is known. Moments in milliseconds since 1970. */
export interface ReleaseVersion {
  /** `service.version` */
  readonly version: string;
  readonly startedAt: number;
  /** When it last saved data. */
  readonly savedAt: number;
  /** The number of instances that ran or run it. */
  readonly instances: number;
}

/** What a version is judged by. Moments in milliseconds since 1970. */
export interface ReleaseSide extends ReleaseVersion {
  /** The time that is compared, in periods of ten minutes; absent without data. */
  readonly from?: number;
  readonly to?: number;
  /** Executions of incoming operations in it. */
  readonly count: number;
}

/** A statement, a call or another part of requests that got slower, or is executed more often. */
export interface ChangedBelow {
  readonly type: string;
  readonly name: string;
  /** Its median; present if it got slower. */
  readonly median?: MeasureChange;
  /** Executions for each incoming operation; present if there are more. */
  readonly perRequest?: { readonly before: number; readonly after: number };
}

export interface ReleaseOperation extends OperationChange {
  readonly type: string;
  readonly name: string;
}

/** The verdict of a version against another one. Plain data, fit for JSON. */
export interface ReleaseVerdict {
  readonly verdict: ChangeVerdict;
  /** The verdict in one or two sentences; for `not enough data` also what is missing. */
  readonly explanation: string;
  readonly service: string;
  /** The version that is judged, and the one it is compared with; absent if there is none. */
  readonly after?: ReleaseSide;
  readonly before?: ReleaseSide;
  /** Whether both versions ran at the same time; otherwise the last hours of the other one are compared. */
  readonly isSameTime: boolean;
  /** The versions that can be compared, that saved last first. */
  readonly versions: readonly ReleaseVersion[];
  readonly minEffectPercent: number;
  readonly minEffectMs: number;
  readonly alpha: number;
  /** The number of incoming operations by verdict, and those that only one version has. */
  readonly counts: Readonly<Record<ChangeVerdict | 'new' | 'gone', number>>;
  /** Incoming operations, up to 200: worse ones first, then better ones, then by the time they take. */
  readonly operations: readonly ReleaseOperation[];
  /** The memory of the processes; absent if neither version has recorded it. */
  readonly process?: ProcessChange;
  /** What changed for the worse below them, up to 20: those with the greatest change first. */
  readonly below: readonly ChangedBelow[];
}
