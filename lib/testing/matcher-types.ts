import type { RepeatedQueriesOptions, ThresholdsOptions } from './matchers.js';

/** What `expect` can do with a recording, once it is extended by `performanceMatchers`. */
export interface PerformanceMatchers<R = void> {
  /**
   * No statement was asked more than once within one request; what was asked outside of any counts as one request.
   * BEGIN, COMMIT, SET and the like, and pings, are no queries, and one that failed is no repetition.
   */
  toHaveNoRepeatedQueries(options?: RepeatedQueriesOptions): R;
  /** All requests of the recording together made no more queries than this, those that failed included. */
  toMakeAtMostQueries(most: number): R;
  /** No operation took longer than its threshold. */
  toStayUnderThresholds(options?: ThresholdsOptions): R;
}

// Each of these adds to what the program has loaded, and loads nothing: in a declaration file, a module that is not
// there may be augmented.

declare global {
  namespace jest {
    interface Matchers<R> extends PerformanceMatchers<R> {}
  }
}

// @jest/globals
// biome-ignore lint/suspicious/noTsIgnore: the tests load it and the build does not, so that no error is to be expected.
// @ts-ignore
declare module 'expect' {
  interface Matchers<R> extends PerformanceMatchers<R> {}
}

// @ts-expect-error It is not installed here, only with its users.
declare module 'vitest' {
  // Since 3.2.
  interface Matchers extends PerformanceMatchers {}
  interface Assertion extends PerformanceMatchers {}
}
