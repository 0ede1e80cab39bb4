/** What counts as a regression. */
export interface RegressionSettings {
  /** The smallest change: relative to the value before, and in milliseconds. Both must be reached. */
  readonly minEffect: number;
  readonly minEffectMs: number;
  /** The smallest difference of two error rates, as shares of 0 to 1. */
  readonly minErrorDifference: number;
  /** The smallest difference in statements per operation. */
  readonly minQueries: number;
  /** The smallest number of windows in a model that is compared with. */
  readonly minModelWindows: number;
  /** Windows with fewer operations are neither tested nor learned. */
  readonly minCount: number;
  /** Windows that begin within this time after the start of the process are neither tested nor learned. */
  readonly coldStartMs: number;
  /** The share of false ones among the suspicions of a tick (Benjamini and Hochberg). */
  readonly falseDiscoveryRate: number;
  /** The greatest p-value of a suspected change, however few operations there are. */
  readonly suspectPValue: number;
  /**
   * The greatest p-value of a reported change, and that of one seen in fewer than `lastingWindows` windows. They apply to
   * windows of a minute and grow with the length of the window, since longer windows are fewer.
   */
  readonly lastingPValue: number;
  readonly certainPValue: number;
  /** That of a change that has lasted for at least `lastingWindows` coarse windows, of which there are few. */
  readonly coarsePValue: number;
  readonly lastingWindows: number;
  /** What is over sooner, from the middle of the first window to that of the last, is an incident, not a regression. */
  readonly lastingMs: number;
  /** The share of the change that each third of its time must have. */
  readonly minThird: number;
  /** A change that began within this time after the start of the process is reported after it, unless it still falls. */
  readonly settlingMs: number;
  /** An open regression becomes the new baseline after this time. */
  readonly newNormalMs: number;
}

/** A regression that has lasted a day becomes the new baseline. */
export const NEW_NORMAL_MS = 24 * 3_600_000;

export const REGRESSION_DEFAULTS: RegressionSettings = {
  minEffect: 0.1,
  minEffectMs: 2,
  minErrorDifference: 0.01,
  minQueries: 0.5,
  minModelWindows: 20,
  minCount: 10,
  coldStartMs: 5 * 60_000,
  falseDiscoveryRate: 0.01,
  suspectPValue: 5e-5,
  lastingPValue: 2e-6,
  certainPValue: 2e-7,
  coarsePValue: 5e-6,
  lastingWindows: 6,
  lastingMs: 30 * 60_000,
  minThird: 0.5,
  settlingMs: 60 * 60_000,
  newNormalMs: NEW_NORMAL_MS,
};

/** Completes settings with the defaults. @throws RangeError for an invalid one */
export function regressionSettings(given: Partial<RegressionSettings> = {}): RegressionSettings {
  for (const [name, value] of Object.entries(given)) {
    if (!(typeof value === 'number' && value >= 0 && Number.isFinite(value)))
      throw new RangeError(`Invalid ${name}: received ${String(value)}, expected a number of 0 or more`);
  }
  return { ...REGRESSION_DEFAULTS, ...given };
}
