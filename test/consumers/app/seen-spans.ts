/** A span that the application's own tracing saw end. */
export interface SeenSpan {
  name: string;
  kind: number;
  scope: string;
  spanId: string;
  parentSpanId?: string;
}

declare global {
  /** Kept by tracing.ts, where it is loaded. */
  var seenSpans: SeenSpan[] | undefined;
}
