import type { BaselineLatency } from '../statistics/operation-history.js';
import type { WatchedHistory } from './watched-history.js';
import type { WindowRing } from './window-ring.js';

/** A period of an operation. Moments in milliseconds since 1970, durations in milliseconds. */
export interface CoursePeriod {
  readonly from: number;
  readonly to: number;
  readonly p50Ms: number;
  /** Absent for the oldest periods, of which only the median is kept, as the rest. */
  readonly p99Ms?: number;
  readonly count?: number;
  readonly errors?: number;
  /** Mean milliseconds per operation in the order of `PARTS`. Kept of the latest periods. */
  readonly partsMs?: readonly number[];
}

/** What an operation was like over hours and days. */
export interface OperationCourse {
  /** Up to 120, the oldest first: hours, then 20 minutes or more, then minutes. They do not overlap. */
  readonly periods: readonly CoursePeriod[];
  /** The latency of the previous version, while this one is compared with it. */
  readonly previous?: BaselineLatency;
}

/** The course of an operation: of its windows, and, before them, of the series of its trend. */
export function operationCourse(watched: WatchedHistory): OperationCourse {
  const { detector, trend } = watched;
  const fine = periodsOf(detector.fine.ring);
  const coarse = before(periodsOf(detector.coarse.ring), fine[0]);
  const { times, values } = trend.series.points();
  const half = trend.series.period / 2;
  const points = Array.from(times, (at, index) => ({
    from: at - half,
    to: at + half,
    p50Ms: values[index] as number,
  }));
  const previous = watched.previousLatency();
  return {
    periods: [...before(points, coarse[0] ?? fine[0]), ...coarse, ...fine],
    ...(previous === undefined ? {} : { previous }),
  };
}

function before(periods: readonly CoursePeriod[], next: CoursePeriod | undefined): readonly CoursePeriod[] {
  return next === undefined ? periods : periods.filter(({ to }) => to <= next.from);
}

function periodsOf(ring: WindowRing): CoursePeriod[] {
  const periods: CoursePeriod[] = [];
  for (let number = ring.first; number < ring.end; number++) {
    const { startedAt, endedAt, count, errors, p50Ms, p99Ms, partsMs } = ring.window(number);
    periods.push({
      from: startedAt,
      to: endedAt,
      p50Ms,
      p99Ms,
      count,
      errors,
      ...(partsMs === undefined ? {} : { partsMs }),
    });
  }
  return periods;
}
