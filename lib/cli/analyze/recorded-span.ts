import type { SpanKind } from '@opentelemetry/api';
import type { Inputs, WorkKey } from '../../spans/work-group.js';
import type { Service } from './service.js';

/** The fields of a recorded span that detectors need. Kept small, as many are buffered. */
export interface RecordedSpan {
  readonly service: Service;
  readonly spanId: string;
  /** Empty for a root span. */
  readonly parentId: string;
  /** Whether the parent is in another process; undefined if unknown. */
  readonly remoteParent: boolean | undefined;
  readonly kind: SpanKind;
  /** Milliseconds on a clock shared by all spans. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Its times were corrected after the fact, so that it may start after its parent ended. */
  readonly isAdjusted: boolean;
  readonly error: boolean;
  /** The kind of work, see {@link workOf}. */
  readonly work: number;
  readonly key: WorkKey | undefined;
  readonly inputs: Inputs | undefined;
  /** Rows of the result, where they are recorded. */
  readonly rows: number | undefined;
  /** What it lacks to be judged. */
  readonly lacks: 'statement' | 'address' | undefined;
  /** The part that it has in a statement that is prepared first and executed later. */
  readonly part: 'prepare' | 'execute' | undefined;
  /** The route of an incoming request (`GET /albums`); empty for other spans. */
  readonly route: string;
}

/** A span within its request. */
export interface RequestSpan {
  readonly span: RecordedSpan;
  readonly parent: RequestSpan | undefined;
  readonly depth: number;
}

/** The spans of one service for one request or message: the outermost first, parents before children. */
export type RecordedRequest = readonly RequestSpan[];
