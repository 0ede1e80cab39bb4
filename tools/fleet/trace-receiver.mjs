// A receiver of OTLP over gRPC that keeps spans: for what the Collector exports.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { readSpans } from './otlp.mjs';

const MAX_SPANS = 500_000;

/** @returns its address, and what can be asked of it */
export async function startTraceReceiver(run) {
  const { default: root } = await import('otlp-decoder/build/src/generated/root.js');
  const Request = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
  const spans = [];
  const server = new Server();
  server.addService(
    {
      export: {
        path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
        requestStream: false,
        responseStream: false,
        requestSerialize: (request) => request,
        requestDeserialize: (request) => request,
        // An empty message is a complete response: everything was accepted.
        responseSerialize: () => Buffer.alloc(0),
        responseDeserialize: (response) => response,
      },
    },
    {
      export({ request }, done) {
        const received = readSpans(
          Request.toObject(Request.decode(request), { bytes: Buffer, longs: Number }),
        );
        for (const span of received) if (spans.length < MAX_SPANS) spans.push(withTextIds(span));
        done(null, {});
      },
    },
  );
  const port = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  run.onEnd(() => server.forceShutdown());
  return {
    otlp: `127.0.0.1:${port}`,
    trace: async (traceId) => spans.filter((span) => span.traceId === traceId),
    spans: async (service) => spans.filter(({ resource }) => resource['service.name'] === service),
  };
}

function withTextIds({ traceId, spanId, parentSpanId, ...span }) {
  const hex = (bytes) => (bytes?.length > 0 ? Buffer.from(bytes).toString('hex') : undefined);
  return { ...span, traceId: hex(traceId), spanId: hex(spanId), parentSpanId: hex(parentSpanId) };
}
