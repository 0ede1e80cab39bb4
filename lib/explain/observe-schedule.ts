import type { MissedRuns, OverlappingRun, ScheduleFault } from '../spans/schedule-fault.js';
import { duration } from '../text/quantities.js';
import type { Observation } from './finding.js';
import { times } from './words.js';

/**
 * The observation of a schedule whose runs overlap, or did not happen.
 * @param name the operation: `CleanUp.daily`
 */
export function observeSchedule(
  fault: ScheduleFault,
  name: string,
  ids: Pick<Observation, 'traceId' | 'spanId'>,
): Observation {
  const isOverlap = fault.type === 'overlapping_runs';
  return {
    type: fault.type,
    fingerprint: name,
    route: name,
    repetitions: isOverlap ? fault.runs : fault.missed,
    ms: isOverlap ? fault.overlapMs : fault.lateMs,
    ...ids,
    explanation: `${name} ${isOverlap ? explainOverlap(fault) : explainMissed(fault)}`,
  };
}

function explainOverlap({ overlapMs, olderAgeMs, runs }: OverlappingRun): string {
  const together = runs > 2 ? `${runs} runs ran` : 'Both ran';
  return (
    `started while its previous run, ${duration(olderAgeMs)} old, still ran. ${together} at the same time for ` +
    `${duration(overlapMs)}, and may have done the same work twice. Skip a run while another one runs ` +
    '(`waitForCompletion: true` of @Cron, or a lock), make the run faster, or schedule it less often.'
  );
}

function explainMissed({ missed, isAtLeast, gapMs, lateMs }: MissedRuns): string {
  return (
    `missed ${isAtLeast ? 'more than ' : ''}${times(missed, 'run')}: it started ${duration(lateMs)} late, ` +
    `${duration(gapMs)} after its previous start. The event loop was blocked meanwhile, or the process was suspended. ` +
    'Skipped runs are not made up for: see findings of type event_loop_block, move long work to a worker thread, and let a run ' +
    'do what is due since the last successful one.'
  );
}
