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
   * The greatest p-value of a reported change: of one that has lasted, and of one that is reported at once. They apply to
   * windows of a minute and grow with the length of the window, since longer windows are fewer.
   */
  readonly lastingPValue: number;
  readonly certainPValue: number;
  /** A change has lasted after this many windows and milliseconds. */
  readonly lastingWindows: number;
  readonly lastingMs: number;
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
  suspectPValue: 2e-5,
  lastingPValue: 4e-7,
  certainPValue: 2e-8,
  lastingWindows: 6,
  lastingMs: 30 * 60_000,
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
