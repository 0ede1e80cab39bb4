import { incompleteBeta } from '../inference/student-t.js';

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
  /**
   * It speaks when so many bad ones in the long window would be less probable than that, were the budget spent exactly
   * (a rate of 1). A month holds some thousand windows that differ.
   */
  readonly maxChance: number;
}

/**
 * Google's SRE Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts": the long window says that it matters, the
 * short one that it still goes on. The chapter warns of low traffic, where one failure is a great rate: so a test
 * stands beside the factor.
 */
export const BURN_POLICIES: readonly BurnPolicy[] = [
  {
    name: 'slo_burn_fast',
    factor: 14.4,
    long: '1h',
    short: '5m',
    severity: 'critical',
    minCoveredMinutes: 0,
    maxChance: 1e-5,
  },
  {
    name: 'slo_burn_medium',
    factor: 6,
    long: '6h',
    short: '30m',
    severity: 'critical',
    minCoveredMinutes: 30,
    maxChance: 1e-5,
  },
  {
    name: 'slo_burn_slow',
    factor: 1,
    long: '3d',
    short: '6h',
    severity: 'warning',
    minCoveredMinutes: 360,
    maxChance: 1e-3,
  },
];

/** With little traffic a short window holds no bad one by chance: it is over when that is less probable than this. */
export const MAX_CHANCE_OF_FEWER = 0.01;

/** Fewer bad operations than that in the long window are an accident, however few there were in all. */
export const MIN_BAD = 3;

/**
 * How probable it is that so many or more are bad where the share of the bad is what the objective allows: the exact
 * binomial test, one-sided, as an incomplete beta function (Clopper and Pearson 1934). Bad ones that come in bunches
 * are less of an accident than it says.
 */
export function chanceOf({ total, bad }: BurnCount, objective: number): number {
  return bad === 0 ? 1 : incompleteBeta(1 - objective, bad, total - bad + 1);
}

/**
 * How probable it is that so few or fewer of the short window are bad where nothing has changed: where as great a share is
 * bad as in that window between the two of a policy, the long one included, in which it is greatest.
 */
export function chanceOfFewer(
  { long, short }: Pick<BurnPolicy, 'long' | 'short'>,
  windows: Readonly<Record<BurnWindow, BurnCount>>,
): number {
  let share = 0;
  for (const window of Object.keys(BURN_WINDOWS) as BurnWindow[]) {
    const minutes = BURN_WINDOWS[window];
    if (minutes <= BURN_WINDOWS[short] || minutes > BURN_WINDOWS[long]) continue;
    const { total, bad } = windows[window];
    if (total > 0) share = Math.max(share, bad / total);
  }
  const { total, bad } = windows[short];
  return bad === total ? 1 : 1 - incompleteBeta(share, bad + 1, total - bad);
}

/**
 * The rate to alert from. With a modest objective the factor could never be reached: at 0.9 everything failing is a
 * rate of 10. Half of everything failing always is enough.
 */
export function factorFor({ factor }: BurnPolicy, objective: number): number {
  return Math.min(factor, Math.max(1, Math.round(50 / (1 - objective)) / 100));
}
