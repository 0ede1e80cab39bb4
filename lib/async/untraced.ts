import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

/**
 * The context for requests of our own, which are no work of the application's: OpenTelemetry's SDK looks for this key
 * before it begins a span, and its propagators before they send a header.
 */
export const UNTRACED = ROOT_CONTEXT.setValue(
  createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'),
  true,
);
