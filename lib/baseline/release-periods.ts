import { type OperationPeriod, PERIOD_MS, sideOfPeriods } from './operation-periods.js';

/** The periods of an operation that are compared. */
export interface ComparedPeriods {
  readonly before: readonly OperationPeriod[];
  readonly after: readonly OperationPeriod[];
  /** The standard deviation of the difference that the time between them explains, as a logarithm. */
  readonly drift: number;
  /** Whether both ran at the same time. */
  readonly isSameTime: boolean;
}

/** The periods from which a change is judged, see `steadyChanges`. */
export const MIN_PERIODS = 4;
const HOUR_MS = 3_600_000;
/** How many windows of the last hours are enough to leave out the time before. */
const ENOUGH_WINDOWS = 12;
/** A version with so much time is compared with everything that is known of the other one. */
const LONG_MS = 12 * HOUR_MS;
/** The assumed difference of unchanged executions: by the hour between both sides, at most, and at the same time. */
const DRIFT_PER_HOUR = 0.02;
const MAX_DRIFT = 0.1;
const MIN_DRIFT = 0.01;

/**
 * Chooses what is compared: the periods in which both versions ran, if there are enough; otherwise the new version with the
 * last hours of the other one, so that the time of the day matters little.
 */
export function comparedPeriods(
  before: readonly OperationPeriod[],
  after: readonly OperationPeriod[],
): ComparedPeriods {
  const same = atSameTime(before, after);
  if (isEnough(same.before) && isEnough(same.after)) return { ...same, drift: MIN_DRIFT, isSameTime: true };
  const recent = before.filter(isSingle);
  const isShort = lengthOf(after) < LONG_MS && windowsOf(recent) >= ENOUGH_WINDOWS;
  const chosen = isShort ? recent : before;
  const hours = Math.abs(middleOf(after) - middleOf(chosen)) / HOUR_MS;
  const drift = Math.max(MIN_DRIFT, Math.min(MAX_DRIFT, DRIFT_PER_HOUR * hours));
  return { before: chosen, after, drift, isSameTime: false };
}

/** A rolling deployment has windows in common as well, but of fewer periods than a change is judged by. */
function isEnough(periods: readonly OperationPeriod[]): boolean {
  return periods.length >= MIN_PERIODS && windowsOf(periods) >= ENOUGH_WINDOWS;
}

/** The periods in which both ran. */
export function atSameTime(
  before: readonly OperationPeriod[],
  after: readonly OperationPeriod[],
): { before: OperationPeriod[]; after: OperationPeriod[] } {
  const common = (one: readonly OperationPeriod[], other: readonly OperationPeriod[]): OperationPeriod[] => {
    const starts = new Set(other.filter(isSingle).map(({ startedAt }) => startedAt));
    return one.filter((period) => isSingle(period) && starts.has(period.startedAt));
  };
  return { before: common(before, after), after: common(after, before) };
}

/** How many windows of a minute or more, by the median, which all of them have. */
export function windowsOf(periods: readonly OperationPeriod[]): number {
  return periods.reduce((sum, { side }) => sum + (side.median?.n ?? 0), 0);
}

/** Not several ones, merged because they are old. */
export function isSingle({ startedAt, endedAt }: OperationPeriod): boolean {
  return endedAt - startedAt <= PERIOD_MS;
}

function lengthOf(periods: readonly OperationPeriod[]): number {
  return periods.length === 0 ? 0 : endOf(periods) - startOf(periods);
}

/** When the windows were, on average. */
function middleOf(periods: readonly OperationPeriod[]): number {
  const { n = 0 } = sideOfPeriods(periods).median ?? {};
  return periods.reduce(
    (sum, { startedAt, endedAt, side }) => sum + ((startedAt + endedAt) / 2) * ((side.median?.n ?? 0) / n),
    0,
  );
}

export function startOf(periods: readonly OperationPeriod[]): number {
  return Math.min(...periods.map(({ startedAt }) => startedAt));
}

export function endOf(periods: readonly OperationPeriod[]): number {
  return Math.max(...periods.map(({ endedAt }) => endedAt));
}
