import { incompleteBeta } from '../inference/student-t.js';

/** The windows of burn rates, in minutes. */
export const BURN_WINDOWS = { '5m': 5, '30m': 30, '1h': 60, '6h': 360, '3d': 4320 } as const;
export type BurnWindow = keyof typeof BURN_WINDOWS;

/** The counts of an objective within a window. */
export interface BurnCount {
  readonly total: number;
  /** Operations that failed or exceeded the threshold of the objective. */
  readonly bad: number;
  /**
   * The burn rate: `bad / total` as a multiple of what the objective allows. At 1, the error budget is spent exactly; at
   * 14.4, an hour spends 2 % of the budget of 30 days. Absent without operations.
   */
  readonly rate?: number;
}

/** The state of an objective. Plain data, fit for JSON. */
export interface BurnRate {
  readonly slo: string;
  readonly operation: string;
  readonly type?: string;
  readonly objective: number;
  readonly thresholdMs?: number;
  readonly windows: Readonly<Record<BurnWindow, BurnCount>>;
  /** The time with data, in minutes: up to 4320. */
  readonly coveredMinutes: number;
  /** When its latest operation was counted, in milliseconds since 1970. Absent if there was none. */
  readonly lastOperationAt?: number;
  /** The remaining error budget of the last three days, up to 1; below 0 if overspent. Absent without operations. */
  readonly budgetRemaining?: number;
}

/** A pair of windows, and the burn rate that both must exceed. */
export interface BurnPolicy {
  readonly name: string;
  readonly factor: number;
  readonly long: BurnWindow;
  readonly short: BurnWindow;
  readonly severity: 'critical' | 'warning';
  /** The least time with data, so that a bad moment after a start does not stand for days. */
  readonly minCoveredMinutes: number;
  /**
   * The greatest probability of so many bad operations in the long window at a burn rate of 1. A month has some thousand
   * distinct windows.
   */
  readonly maxChance: number;
}

/**
 * Google's SRE Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts": the long window shows that it matters, the short
 * one that it continues. With low traffic, one failure is a great rate, so a statistical test is required as well.
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

/** With low traffic, a short window may have no bad operation by chance. An alert resolves if that is less probable. */
export const MAX_CHANCE_OF_FEWER = 0.01;

/** The least number of bad operations in the long window. */
export const MIN_BAD = 3;

/**
 * The probability of this many bad operations or more if their share is what the objective allows: the exact one-sided
 * binomial test, as an incomplete beta function (Clopper and Pearson 1934). It assumes independent failures.
 */
export function chanceOf({ total, bad }: BurnCount, objective: number): number {
  return bad === 0 ? 1 : incompleteBeta(1 - objective, bad, total - bad + 1);
}

/**
 * The probability of this few bad operations or fewer in the short window if nothing has changed: if their share is the
 * greatest one of the longer windows up to the long one of the policy.
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
 * The burn rate at which a policy fires. A low objective could never reach its factor: at 0.9, a complete failure is a rate
 * of 10. So the rate of a failure of half of the operations is always enough.
 */
export function factorFor({ factor }: BurnPolicy, objective: number): number {
  return Math.min(factor, Math.max(1, Math.round(50 / (1 - objective)) / 100));
}
