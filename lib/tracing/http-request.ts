import { type Context, createContextKey } from '@opentelemetry/api';
import type { SpanState } from '../monitor/span-state.js';
import type { SdkSpan } from './sdk-span.js';

const REQUEST_KEY = createContextKey('nestjs-performance.http-request');

/** A served request that is being measured, as the span processor meets it in the context of a new span. */
export interface MeasuredRequest {
  /** A SERVER span began within the request: ours, or another instrumentation's for the same request. */
  serverSpanStarted(state: SpanState, span: SdkSpan): void;
}

/** The context in which a served request runs. */
export function withHttpRequest(context: Context, request: MeasuredRequest): Context {
  return context.setValue(REQUEST_KEY, request);
}

/** The served request that a context belongs to. */
export function httpRequestIn(context: Context): MeasuredRequest | undefined {
  return context.getValue(REQUEST_KEY) as MeasuredRequest | undefined;
}
