/** What counts as a regression. */
export interface RegressionSettings {
  /** The least change that is one: as a share of what was, and in milliseconds. Both must be reached. */
  readonly minEffect: number;
  readonly minEffectMs: number;
  /** The least difference of two error rates, as shares of 0 to 1. */
  readonly minErrorDifference: number;
  /** The least difference of statements per operation. */
  readonly minQueries: number;
  /** Windows that the model must have before anything is compared with it. */
  readonly minModelWindows: number;
  /** Windows with fewer operations are neither judged nor learned. */
  readonly minCount: number;
  /** Windows that begin within so many milliseconds after the process started are neither judged nor learned. */
  readonly coldStartMs: number;
  /** The share of the suspicions of a tick that may be wrong (Benjamini and Hochberg). */
  readonly falseDiscoveryRate: number;
  /** How probable by chance a change may be at the most, to be suspected, however few operations there are. */
  readonly suspectPValue: number;
  /**
   * The same, to be told when it has lasted; and to be told at once. For windows of a minute: longer ones are fewer, so
   * each of them may be wrong more often, by as much as they are longer.
   */
  readonly tellPValue: number;
  readonly certainPValue: number;
  /** From how many windows and milliseconds on a change has lasted. */
  readonly lastingWindows: number;
  readonly lastingMs: number;
  /** After which an open regression is taken for the new normal, in milliseconds. */
  readonly newNormalMs: number;
}

/** A regression that has lasted a day is what is normal now. */
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
  tellPValue: 4e-7,
  certainPValue: 2e-8,
  lastingWindows: 6,
  lastingMs: 30 * 60_000,
  newNormalMs: NEW_NORMAL_MS,
};

/** The settings with those that were left out filled in. @throws RangeError for one that makes no sense */
export function regressionSettings(given: Partial<RegressionSettings> = {}): RegressionSettings {
  for (const [name, value] of Object.entries(given)) {
    if (!(typeof value === 'number' && value >= 0 && Number.isFinite(value)))
      throw new RangeError(`${name} is ${String(value)}: a number of 0 or more is allowed`);
  }
  return { ...REGRESSION_DEFAULTS, ...given };
}
