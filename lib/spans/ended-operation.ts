import type { Span } from '@opentelemetry/api';
import type { HttpEvidenceSource, OperationType } from '../operation/operation.js';
import type { GuardedSpan, SpanLike } from './guarded-span.js';

/** One operation that ended, as it is counted. */
export interface EndedOperation {
  type: OperationType;
  name: string;
  durationMs: number;
  /** Absent: it is counted and never slow. */
  thresholdMs: number | undefined;
  error: boolean;
  /**
   * The error does not mean that the service is broken: it is the caller's, or part of an answer that is as it should be.
   * It is counted, and left out by health and alerts. Default false.
   */
  expectedError?: boolean | undefined;
  /** To annotate when it is slow; must still be writable. */
  span?: SpanLike | null | undefined;
  statement?: string | undefined;
  http?: HttpEvidenceSource | undefined;
}

/** The same, with a span that throws nothing. */
export interface GuardedOperation extends Omit<EndedOperation, 'span'> {
  span?: Span | GuardedSpan;
}
