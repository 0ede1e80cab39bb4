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
  readonly error: boolean;
  /** The kind of work, see {@link workOf}. */
  readonly work: number;
  readonly key: WorkKey | undefined;
  readonly inputs: Inputs | undefined;
  /** The route of an incoming request (`GET /albums`); empty for other spans. */
  readonly route: string;
}
