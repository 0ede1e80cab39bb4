import { Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
// The last version of the transformer that ships decoders beside its encoders.
import root from 'otlp-decoder/build/src/generated/root';
import { metricsService, type ReceivedPoint } from './otlp-metrics.js';
import { type KeyValue, plain } from './otlp-values.js';

/** A received span, with its attributes as a plain object. */
export interface ReceivedSpan {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  attributes: Record<string, unknown>;
  events: { name: string; attributes: Record<string, unknown> }[];
  /** The message of its status. */
  message: string;
}

interface WireSpan {
  name: string;
  kind: number;
  traceId: Uint8Array;
  spanId: Uint8Array;
  /** Absent of the root of a trace. */
  parentSpanId: Uint8Array | null;
  attributes: KeyValue[];
  events: { name: string; attributes: KeyValue[] }[];
  status?: { message?: string } | null;
}
interface WireRequest {
  resourceSpans: { resource: { attributes: KeyValue[] }; scopeSpans: { spans: WireSpan[] }[] }[];
}
interface Codec {
  decode(bytes: Uint8Array): WireRequest;
  encode(message: object): { finish(): Uint8Array };
}

const { ExportTraceServiceRequest, ExportTraceServiceResponse } = (
  root as unknown as {
    opentelemetry: { proto: { collector: { trace: { v1: Record<string, Codec> } } } };
  }
).opentelemetry.proto.collector.trace.v1 as {
  ExportTraceServiceRequest: Codec;
  ExportTraceServiceResponse: Codec;
};

/** A real OTLP receiver over gRPC that keeps spans and metrics. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  resource: Record<string, unknown> = {};
  requests = 0;
  /** The headers of the last request with spans. */
  headers: Record<string, unknown> = {};
  /** Series in the order of arrival, with repetitions; one array for each request. */
  readonly metricRequests: ReceivedPoint[][] = [];
  metricsResource: Record<string, unknown> = {};
  private constructor(
    private readonly server: Server,
    /** `http://127.0.0.1:PORT` */
    readonly endpoint: string,
  ) {}

  /** @param options `metrics: false` for a receiver of traces only */
  static async start(port = 0, { metrics = true } = {}): Promise<OtlpReceiver> {
    const server = new Server();
    const receiver = { current: undefined as OtlpReceiver | undefined };
    server.addService(
      {
        export: {
          path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
          requestStream: false,
          responseStream: false,
          requestSerialize: (bytes: Buffer) => bytes,
          requestDeserialize: (bytes: Buffer) => ExportTraceServiceRequest.decode(bytes),
          responseSerialize: () => Buffer.from(ExportTraceServiceResponse.encode({}).finish()),
          responseDeserialize: (bytes: Buffer) => bytes,
        },
      },
      {
        export: (
          call: ServerUnaryCall<WireRequest, object>,
          done: (error: null, response: object) => void,
        ) => {
          if (receiver.current) receiver.current.headers = call.metadata.getMap();
          receiver.current?.take(call.request);
          done(null, {});
        },
      },
    );
    if (metrics) {
      const [definition, implementation] = metricsService((points, resource) => {
        receiver.current?.metricRequests.push(points);
        if (receiver.current) receiver.current.metricsResource = resource;
      });
      server.addService(definition, implementation);
    }
    const bound = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, chosen) =>
        error === null ? resolve(chosen) : reject(error),
      );
    });
    receiver.current = new OtlpReceiver(server, `http://127.0.0.1:${bound}`);
    return receiver.current;
  }

  /** The latest point of each series of a metric. */
  points(name: string): ReceivedPoint[] {
    const newest = new Map<string, ReceivedPoint>();
    for (const point of this.metricRequests.flat())
      if (point.name === name) newest.set(JSON.stringify(point.attributes), point);
    return [...newest.values()];
  }

  stop(): void {
    this.server.forceShutdown();
  }

  private take({ resourceSpans }: WireRequest): void {
    this.requests++;
    for (const { resource, scopeSpans } of resourceSpans) {
      this.resource = plain(resource.attributes);
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          this.spans.push({
            name: span.name,
            kind: span.kind,
            traceId: hex(span.traceId),
            spanId: hex(span.spanId),
            parentSpanId: hex(span.parentSpanId),
            attributes: plain(span.attributes),
            events: span.events.map((event) => ({ name: event.name, attributes: plain(event.attributes) })),
            message: span.status?.message ?? '',
          });
        }
      }
    }
  }
}

function hex(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex');
}
