/** The windows that a burn rate is told for, in minutes. */
export const BURN_WINDOWS = { '5m': 5, '30m': 30, '1h': 60, '6h': 360, '3d': 4320 } as const;
export type BurnWindow = keyof typeof BURN_WINDOWS;

/** What an objective counted within a window. */
export interface BurnCount {
  readonly total: number;
  /** Operations that failed, or took longer than the objective allows. */
  readonly bad: number;
  /**
   * `bad / total` as a multiple of what the objective allows: at 1 the budget is spent exactly, at 14.4 fifty times
   * as much as an hour's part of a month goes in an hour. Absent without operations.
   */
  readonly rate?: number;
}

/** How an objective stands. Plain data, fit for JSON. */
export interface BurnRate {
  readonly slo: string;
  readonly operation: string;
  readonly type?: string;
  readonly objective: number;
  readonly thresholdMs?: number;
  readonly windows: Readonly<Record<BurnWindow, BurnCount>>;
  /** How long there have been figures, in minutes; 4320 at the most. */
  readonly coveredMinutes: number;
  /** What is left of the budget of the last three days, 1 or less; below 0 it is overspent. Absent without operations. */
  readonly budgetRemaining?: number;
}

/** One pair of windows with the rate from which on both of them alert. */
export interface BurnPolicy {
  readonly name: string;
  readonly factor: number;
  readonly long: BurnWindow;
  readonly short: BurnWindow;
  readonly severity: 'critical' | 'warning';
  /** With fewer minutes of figures than that, a bad moment after a start would speak for days. */
  readonly minCoveredMinutes: number;
}

/**
 * Google's SRE Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts": the long window says that it matters, the
 * short one that it still goes on.
 */
export const BURN_POLICIES: readonly BurnPolicy[] = [
  {
    name: 'slo_burn_fast',
    factor: 14.4,
    long: '1h',
    short: '5m',
    severity: 'critical',
    minCoveredMinutes: 0,
  },
  {
    name: 'slo_burn_medium',
    factor: 6,
    long: '6h',
    short: '30m',
    severity: 'critical',
    minCoveredMinutes: 30,
  },
  { name: 'slo_burn_slow', factor: 1, long: '3d', short: '6h', severity: 'warning', minCoveredMinutes: 360 },
];

/** Fewer bad operations than that in the long window are an accident: at 60 requests an hour one would page. */
export const MIN_BAD = 3;

/**
 * The rate to alert from. With a modest objective the factor could never be reached: at 0.9 everything failing is a
 * rate of 10. Half of everything failing always is enough.
 */
export function factorFor({ factor }: BurnPolicy, objective: number): number {
  return Math.min(factor, Math.max(1, 0.5 / (1 - objective)));
}
