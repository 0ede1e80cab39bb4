import type { OperationType } from '../operation/operation.js';
import type { LiveSpan } from './live-span.js';

/** Who is told of every operation while a test records them, see `nestjs-performance/testing`. */
export interface OperationRecorder {
  /** Called within the call that begins it, so that the stack tells who asks. */
  started(state: LiveSpan): void;
  /** Called before its span is redacted; with nothing for a span that is not counted. */
  ended(
    state: LiveSpan,
    counted?: { type: OperationType; name: string; durationMs: number; thresholdMs?: number; error: boolean },
  ): void;
}
