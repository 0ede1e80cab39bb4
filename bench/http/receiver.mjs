// A real OTLP receiver over gRPC that counts bytes, in its own process: its work must not count as the server's. Sends its
// address, and at each message its counters. With the argument `spans` it decodes and counts spans, too.
import { Server, ServerCredentials } from '@grpc/grpc-js';

const countSpans = process.argv[2] === 'spans' ? await spanCounter() : () => 0;
let requests = 0;
let bytes = 0;
let spans = 0;

async function spanCounter() {
  const { default: root } = await import('otlp-decoder/build/src/generated/root.js');
  const Request = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
  return (message) =>
    Request.decode(message)
      .resourceSpans.flatMap(({ scopeSpans }) => scopeSpans)
      .reduce((sum, scope) => sum + scope.spans.length, 0);
}

let metricBytes = 0;
const server = new Server();
server.addService(exportOf('opentelemetry.proto.collector.trace.v1.TraceService'), {
  export({ request }, done) {
    requests++;
    bytes += request.length;
    spans += countSpans(request);
    done(null, {});
  },
});
server.addService(exportOf('opentelemetry.proto.collector.metrics.v1.MetricsService'), {
  export({ request }, done) {
    metricBytes += request.length;
    done(null, {});
  },
});

function exportOf(service) {
  return {
    export: {
      path: `/${service}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (request) => request,
      requestDeserialize: (request) => request,
      // An empty message is a complete response: everything was accepted.
      responseSerialize: () => Buffer.alloc(0),
      responseDeserialize: (response) => response,
    },
  };
}

server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send(`http://127.0.0.1:${port}`);
});
process.on('message', () => process.send({ requests, bytes, spans, metricBytes }));
