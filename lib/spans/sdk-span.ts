import type {
  Attributes,
  Context,
  HrTime,
  Span,
  SpanContext,
  SpanKind,
  SpanStatus,
} from '@opentelemetry/api';

/** When a span of this package's own provider was started, on the clock of `performance.now()`. */
export const STARTED_MS: unique symbol = Symbol('nestjs-performance started');
/** When it was ended, whatever the end time that was given. */
export const ENDED_MS: unique symbol = Symbol('nestjs-performance ended');
/** Its duration in milliseconds. */
export const DURATION_MS: unique symbol = Symbol('nestjs-performance duration');

/** What a span knows of its times. Those of other providers know nothing: then the clock is read instead. */
export interface TimedSpan {
  readonly [STARTED_MS]?: number;
  readonly [ENDED_MS]?: number;
  readonly [DURATION_MS]?: number;
}

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
  /** Seconds and nanoseconds since 1970. Absent in the spans of some SDKs. */
  readonly startTime?: HrTime;
  readonly links?: readonly { readonly attributes?: Attributes }[];
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

/**
 * Milliseconds: a span that started later was created when it started. The resolution of the clock, and more for spans of
 * which it is unknown whether a start time was given: the time until they are seen counts, too.
 */
const JUST_NOW_MS = 1;
const JUST_CREATED_MS = 5;

/** How long ago a span that was just created started, in milliseconds: some libraries create theirs when the work is over. */
export function lateBy(span: EndedSdkSpan): number {
  // The SDK's own field. Where it is absent, a pause between the start of a span and this call counts as late.
  const { _startTimeProvided: isGiven } = span as { _startTimeProvided?: unknown };
  if (isGiven === false) return 0;
  const { startTime } = span;
  const lateMs = startTime === undefined ? 0 : Date.now() - toMilliseconds(startTime);
  return lateMs > (isGiven === true ? JUST_NOW_MS : JUST_CREATED_MS) ? lateMs : 0;
}

/** A duration in milliseconds from seconds and nanoseconds. */
export function toMilliseconds(duration: HrTime): number {
  return duration[0] * 1000 + duration[1] / 1e6;
}
