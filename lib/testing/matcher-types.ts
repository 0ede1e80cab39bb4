import type { RepeatedQueriesOptions, ThresholdsOptions } from './matchers.js';

/** The matchers for recordings, after `expect.extend(performanceMatchers)`. */
export interface PerformanceMatchers<R = void> {
  /**
   * Fails if a statement was executed more than once within one request. Queries outside of requests count as one request.
   * BEGIN, COMMIT, SET, pings and the like are not queries; failed queries are not repetitions.
   */
  toHaveNoRepeatedQueries(options?: RepeatedQueriesOptions): R;
  /** Fails if all requests together executed more than `most` queries, including failed ones. */
  toMakeAtMostQueries(most: number): R;
  /** Fails if an operation took longer than its threshold. */
  toStayUnderThresholds(options?: ThresholdsOptions): R;
}

// Each declaration augments a module only if the program loads it: declaration files may augment missing modules.

declare global {
  namespace jest {
    interface Matchers<R> extends PerformanceMatchers<R> {}
  }
}

// @jest/globals
// biome-ignore lint/suspicious/noTsIgnore: there is no error to expect, as the tests load it and the build does not.
// @ts-ignore
declare module 'expect' {
  interface Matchers<R> extends PerformanceMatchers<R> {}
}

// @ts-expect-error It is installed in applications only.
declare module 'vitest' {
  // Since 3.2.
  interface Matchers extends PerformanceMatchers {}
  interface Assertion extends PerformanceMatchers {}
}
