import type { SpanKind } from '@opentelemetry/api';
import type { Inputs, WorkKey } from '../../spans/work-group.js';
import type { Service } from './service.js';

/** What detectors need of a recorded span, and nothing else: very many of them are held in memory. */
export interface RecordedSpan {
  readonly service: Service;
  readonly spanId: string;
  /** Empty where there is none. */
  readonly parentId: string;
  /** Whether the parent is in another process; absent where that was not recorded. */
  readonly remoteParent: boolean | undefined;
  readonly kind: SpanKind;
  /** Milliseconds on a clock that all spans share. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly error: boolean;
  /** What it is work of, see {@link workOf}. */
  readonly work: number;
  readonly key: WorkKey | undefined;
  readonly inputs: Inputs | undefined;
  /** Of what may have been served, what it was: `GET /albums`. */
  readonly route: string;
}
