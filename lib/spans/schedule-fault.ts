/** A run of a schedule started while the previous one still ran. */
export interface OverlappingRun {
  readonly type: 'overlapping_runs';
  /** How long both ran at the same time, in milliseconds. */
  readonly overlapMs: number;
  /** How long the previous run had been running. */
  readonly olderAgeMs: number;
  /** The runs at the same time, including this one. */
  readonly runs: number;
}

/** Runs of a schedule were due, and did not start. */
export interface MissedRuns {
  readonly type: 'missed_runs';
  readonly missed: number;
  /** Whether there were more than were counted. */
  readonly isAtLeast: boolean;
  /** From the previous start to this one, and from when this one was due, in milliseconds. */
  readonly gapMs: number;
  readonly lateMs: number;
}

export type ScheduleFault = OverlappingRun | MissedRuns;
