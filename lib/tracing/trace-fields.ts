import { isSpanContextValid, trace } from '@opentelemetry/api';

/** The fields of a log record that name its trace. */
export interface TraceFields {
  /** 32 hexadecimal digits. */
  trace_id: string;
  /** 16 hexadecimal digits: the span in which the record was written. */
  span_id: string;
  /** `01` if the trace is exported, `00` if it is not. */
  trace_flags: string;
}

/**
 * The active trace as fields of a log record, for loggers that ask for such: `pino({ mixin: traceFields })`. Empty outside of
 * a trace. Returns a new object each time.
 *
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/
 */
export function traceFields(): Partial<TraceFields> {
  const active = trace.getActiveSpan()?.spanContext();
  if (active === undefined || !isSpanContextValid(active)) return {};
  const { traceId, spanId, traceFlags } = active;
  return { trace_id: traceId, span_id: spanId, trace_flags: traceFlags.toString(16).padStart(2, '0') };
}
