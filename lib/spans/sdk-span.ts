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
 * A span of an OpenTelemetry SDK that has ended. A structural type, so that spans of any SDK fit: `sdk-trace-base` 2.x and
 * `sdk-trace` 3.x have different classes.
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

/** A span of an OpenTelemetry SDK that has not ended. */
export interface SdkSpan extends Span, EndedSdkSpan {}

/** A span processor of an OpenTelemetry SDK, as a structural type. */
export interface SdkSpanProcessor {
  onStart(span: SdkSpan, parentContext: Context): void;
  onEnding?(span: SdkSpan): void;
  onEnd(span: EndedSdkSpan): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** A duration in milliseconds from seconds and nanoseconds. */
export function toMilliseconds(duration: HrTime): number {
  return duration[0] * 1000 + duration[1] / 1e6;
}
