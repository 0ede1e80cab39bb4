import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

/**
 * A context without tracing, for the requests that this package sends. OpenTelemetry's SDK checks this key before it starts a
 * span, and its propagators before they add a header.
 */
export const UNTRACED = ROOT_CONTEXT.setValue(
  createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'),
  true,
);
