// Receives metrics by OTLP over gRPC and drops them, in its own process. Sends its address.
import { Server, ServerCredentials } from '@grpc/grpc-js';

const server = new Server();
server.addService(
  {
    export: {
      path: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
      requestStream: false,
      responseStream: false,
      requestSerialize: (bytes) => bytes,
      requestDeserialize: (bytes) => bytes,
      responseSerialize: (bytes) => bytes,
      responseDeserialize: (bytes) => bytes,
    },
  },
  { export: (_call, done) => done(null, Buffer.alloc(0)) },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.send(`http://127.0.0.1:${port}`);
});
