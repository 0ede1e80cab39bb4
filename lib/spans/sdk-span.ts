import type {
  Attributes,
  Context,
  HrTime,
  Span,
  SpanContext,
  SpanKind,
  SpanStatus,
} from '@opentelemetry/api';

/**
 * A span of an OpenTelemetry SDK that has ended, by its shape alone, so that any SDK's will do: `sdk-trace-base` 2.x
 * and `sdk-trace` 3.x differ in their classes and not in this.
 */
export interface EndedSdkSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  readonly status: SpanStatus;
  /** Absent in the spans of some SDKs. */
  readonly events?: readonly { readonly name: string; readonly attributes?: Attributes }[];
  readonly duration: HrTime;
  readonly parentSpanContext?: SpanContext;
  readonly instrumentationScope: { readonly name: string; readonly version?: string };
  spanContext(): SpanContext;
}

/** A span of an OpenTelemetry SDK that can still be written to. */
export interface SdkSpan extends Span, EndedSdkSpan {}

/** What an SDK asks of a span processor, by its shape alone. */
export interface SdkSpanProcessor {
  onStart(span: SdkSpan, parentContext: Context): void;
  onEnding?(span: SdkSpan): void;
  onEnd(span: EndedSdkSpan): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** Milliseconds of a duration that an SDK gives as seconds and nanoseconds. */
export function toMilliseconds(duration: HrTime): number {
  return duration[0] * 1000 + duration[1] / 1e6;
}
