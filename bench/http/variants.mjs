// What bench/http/server.mjs can serve, in the words of the tables.
export const VARIANTS = {
  bare: 'Nest on Express',
  opentelemetry: 'OpenTelemetry: HTTP instrumentation, batch processor, no-op exporter',
  ours: 'this package, defaults',
};
