import 'reflect-metadata';
import { types } from 'node:util';
import { type DueRuns, MAX_COUNTED } from '../../explain/scheduled-runs.js';

/** Metadata keys of @nestjs/schedule, which it does not export. */
const CRON = 'SCHEDULE_CRON_OPTIONS';
const INTERVAL = 'SCHEDULE_INTERVAL_OPTIONS';

/** What is used of a date of `luxon`, which the package `cron` returns. */
interface CronDate {
  toMillis(): number;
}

/** What is used of a job of the package `cron`. */
interface CronJob {
  readonly cronTime: {
    readonly source: unknown;
    readonly timeZone?: unknown;
    readonly utcOffset?: unknown;
    getNextDateFrom(date: CronDate): CronDate;
  };
  nextDates(count: number): CronDate[];
}

/** What is used of the SchedulerRegistry of @nestjs/schedule. */
export interface CronJobs {
  getCronJobs(): Map<string, CronJob>;
}

/**
 * When the runs of a method with `@Interval` or `@Cron` are due. Undefined for one without a repetition, as with `@Timeout`.
 * @param jobs the registry of the application, which has jobs only when the application has started
 */
export function scheduleTimes(
  method: object,
  jobs: () => CronJobs | undefined,
): (() => DueRuns | undefined) | undefined {
  const interval = Reflect.getMetadata(INTERVAL, method) as { timeout?: unknown } | undefined;
  if (interval !== undefined) {
    const due = dueEvery(interval.timeout);
    return () => due;
  }
  const cron = Reflect.getMetadata(CRON, method) as CronOptions | undefined;
  return cron === undefined ? undefined : () => dueOfCron(cron, jobs());
}

function dueEvery(periodMs: unknown): DueRuns | undefined {
  if (typeof periodMs !== 'number' || !Number.isFinite(periodMs) || periodMs < 1) return undefined;
  return {
    firstMs: periodMs,
    secondMs: 2 * periodMs,
    countUntil: (ms) => Math.min(Math.floor(ms / periodMs), MAX_COUNTED),
  };
}

interface CronOptions {
  readonly name?: unknown;
  readonly cronTime?: unknown;
  readonly timeZone?: unknown;
  readonly utcOffset?: unknown;
}

/** The package `cron` computes the dates. Its methods may throw, as for a date in the past. */
function dueOfCron(options: CronOptions, jobs: CronJobs | undefined): DueRuns | undefined {
  try {
    const job = jobs && jobOf(options, jobs.getCronJobs());
    const [first, second] = job?.nextDates(2) ?? [];
    if (job === undefined || first === undefined || second === undefined) return undefined;
    const now = Date.now();
    // `setTime` of a job replaces it: the runs after this one were due by what it is now.
    const { cronTime } = job;
    if (typeof cronTime.getNextDateFrom !== 'function') return undefined;
    return {
      firstMs: first.toMillis() - now,
      secondMs: second.toMillis() - now,
      countUntil(ms) {
        let count = 0;
        let date = first;
        while (count < MAX_COUNTED && date.toMillis() <= now + ms) {
          count++;
          date = cronTime.getNextDateFrom(date);
        }
        return count;
      },
    };
  } catch {
    return undefined;
  }
}

/** By its name, or any job with the same expression: those of one expression and time zone have the same dates. */
function jobOf(
  { name, cronTime, timeZone, utcOffset }: CronOptions,
  jobs: Map<string, CronJob>,
): CronJob | undefined {
  if (typeof name === 'string') return jobs.get(name);
  for (const job of jobs.values()) {
    const { source, timeZone: zone, utcOffset: offset } = job.cronTime;
    const isSameZone = timeZone === undefined || timeZone === null || timeZone === zone;
    if (source === cronTime && isSameZone && (utcOffset ?? undefined) === offset) return job;
  }
  return undefined;
}

/** The registry among the instances of an application, or undefined. Runs no code of the instance. */
export function asCronJobs(instance: unknown): CronJobs | undefined {
  if (typeof instance !== 'object' || instance === null || types.isProxy(instance)) return undefined;
  return 'getCronJobs' in instance ? (instance as CronJobs) : undefined;
}
