import type { Span } from '@opentelemetry/api';
import type { HttpEvidenceSource, OperationType } from '../operation/operation.js';
import type { GuardedSpan, SpanLike } from './guarded-span.js';

/** An operation that ended. */
export interface EndedOperation {
  type: OperationType;
  name: string;
  durationMs: number;
  /** Absent: the operation is counted and never slow. */
  thresholdMs: number | undefined;
  error: boolean;
  /**
   * The error is the caller's, or part of a regular response: it is counted, and ignored by health and alerts. Default
   * false.
   */
  expectedError?: boolean | undefined;
  /** Annotated if the operation was slow. It must not have ended. */
  span?: SpanLike | null | undefined;
  /** It has no span because there are many such calls: it is counted, and neither kept when slow nor a failure of its own. */
  isPart?: boolean | undefined;
  statement?: string | undefined;
  /** What was thrown, where that is known. */
  thrown?: unknown;
  http?: HttpEvidenceSource | undefined;
}

/** The same, with a span whose members never throw. */
export interface GuardedOperation extends Omit<EndedOperation, 'span'> {
  span?: Span | GuardedSpan;
}
