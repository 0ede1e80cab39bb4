export type { CallSite } from '../code/call-site.js';
export type { OperationType } from '../operation/operation.js';
export type { PerformanceMatchers } from './matcher-types.js';
export { performanceMatchers, type RepeatedQueriesOptions, type ThresholdsOptions } from './matchers.js';
export { type RecordPerformanceOptions, recordPerformance } from './record-performance.js';
export type {
  PerformanceRecording,
  RecordedOperation,
  RecordedQuery,
  RecordedRequest,
  RecordedRoot,
} from './recording.js';
