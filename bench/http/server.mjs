// The measured server: VARIANT is `bare`, `opentelemetry` or `ours`, then the endpoint to export to.
// Sends its address, and at each message its CPU time, how many requests its tracing counted, or the CPU time of each of so
// many requests without sockets, in microseconds.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { trace } from '@opentelemetry/api';
import { connect } from './in-process.mjs';

const [variant, endpoint] = process.argv.slice(2);

/** A common set-up: the instrumentation, the SDK and a batch processor. */
async function startOpenTelemetry() {
  const { HttpInstrumentation } = await import('@opentelemetry/instrumentation-http');
  const { BatchSpanProcessor, NodeTracerProvider } = await import('@opentelemetry/sdk-trace-node');
  let exported = 0;
  // Without an endpoint, it drops the spans: measures the cost without encoding and sending.
  const next = endpoint === undefined ? undefined : await otlpExporter();
  const exporter = {
    export(spans, done) {
      exported += spans.length;
      if (next === undefined) done({ code: 0 });
      else next.export(spans, done);
    },
    shutdown: async () => next?.shutdown(),
  };
  const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  provider.register();
  new HttpInstrumentation().setTracerProvider(provider);
  // The patch is applied when the module is required. Named imports of it need to be synchronized.
  createRequire(import.meta.url)('node:http');
  syncBuiltinESMExports();
  return () => exported;
}

async function otlpExporter() {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
  return new OTLPTraceExporter({ url: endpoint });
}

async function start() {
  if (variant === 'bare' || variant === 'opentelemetry') {
    const seen = variant === 'bare' ? () => 0 : await startOpenTelemetry();
    const { listen } = await import('../support/app.mjs');
    return { ...(await listen()), seen };
  }
  const { PerformanceModule, PerformanceMonitorService } = await import('nestjs-performance');
  const { listen } = await import('../support/app.mjs');
  const served = await listen([PerformanceModule.forRoot(endpoint ? { tracing: { endpoint } } : {})]);
  const monitor = served.app.get(PerformanceMonitorService);
  return { ...served, seen: () => monitor.getStats().totalOperations };
}

const { url, seen, app } = await start();
let serve;
process.on('message', async (asked) => {
  // Reading statistics would be part of the cost.
  if (asked === 'seen') process.send(seen());
  else if (asked.requests !== undefined) {
    serve ??= connect(app.getHttpServer());
    const before = process.cpuUsage();
    await serve(asked.requests);
    const { user, system } = process.cpuUsage(before);
    process.send((user + system) / asked.requests);
  } else {
    // Spans that wait for their batch are part of the cost.
    await trace.getTracerProvider().getDelegate?.().forceFlush?.();
    process.send(process.cpuUsage());
  }
});
process.send(url);
