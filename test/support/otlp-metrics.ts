import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import root from 'otlp-decoder/build/src/generated/root';
import { type KeyValue, plain } from './otlp-values.js';

/** A received series. */
export interface ReceivedPoint {
  name: string;
  unit: string;
  kind: 'gauge' | 'sum' | 'histogram' | 'exponentialHistogram';
  attributes: Record<string, unknown>;
  /** Of numbers. */
  value?: number;
  isMonotonic?: boolean;
  /** Of histograms. */
  count?: number;
  sum?: number;
  min?: number;
  max?: number;
  scale?: number;
  offset?: number;
  bucketCounts?: number[];
  explicitBounds?: number[];
  /** Milliseconds since 1970. */
  startTime: number;
}

interface WirePoint {
  attributes: KeyValue[];
  startTimeUnixNano: unknown;
  asDouble?: number;
  count?: unknown;
  sum?: number;
  min?: number;
  max?: number;
  scale?: number;
  positive?: { offset: number; bucketCounts: unknown[] };
  bucketCounts?: unknown[];
  explicitBounds?: number[];
}
type WireMetric = { name: string; unit: string } & Partial<
  Record<ReceivedPoint['kind'], { dataPoints: WirePoint[]; isMonotonic?: boolean } | null>
>;
interface WireRequest {
  resourceMetrics: { resource: { attributes: KeyValue[] }; scopeMetrics: { metrics: WireMetric[] }[] }[];
}
interface Codec {
  decode(bytes: Uint8Array): WireRequest;
  encode(message: object): { finish(): Uint8Array };
}

const { ExportMetricsServiceRequest, ExportMetricsServiceResponse } = (
  root as unknown as {
    opentelemetry: { proto: { collector: { metrics: { v1: Record<string, Codec> } } } };
  }
).opentelemetry.proto.collector.metrics.v1 as {
  ExportMetricsServiceRequest: Codec;
  ExportMetricsServiceResponse: Codec;
};

/** The metrics service of an OTLP receiver, for a gRPC server. */
export function metricsService(
  take: (points: ReceivedPoint[], resource: Record<string, unknown>) => void,
): [ServiceDefinition, UntypedServiceImplementation] {
  return [
    {
      export: {
        path: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
        requestStream: false,
        responseStream: false,
        requestSerialize: (bytes: Buffer) => bytes,
        requestDeserialize: (bytes: Buffer) => ExportMetricsServiceRequest.decode(bytes),
        responseSerialize: () => Buffer.from(ExportMetricsServiceResponse.encode({}).finish()),
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    },
    {
      export: (call: { request: WireRequest }, done: (error: null, response: object) => void) => {
        for (const { resource, scopeMetrics } of call.request.resourceMetrics) {
          const metrics = scopeMetrics.flatMap((scope) => scope.metrics);
          take(metrics.flatMap(pointsOf), plain(resource.attributes));
        }
        done(null, {});
      },
    },
  ];
}

const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram'] as const;

function pointsOf(metric: WireMetric): ReceivedPoint[] {
  const kind = KINDS.find((one) => metric[one] !== undefined && metric[one] !== null);
  const data = kind && metric[kind];
  if (kind === undefined || data === undefined || data === null) return [];
  return data.dataPoints.map((point) => ({
    name: metric.name,
    unit: metric.unit,
    kind,
    attributes: plain(point.attributes),
    startTime: Number(point.startTimeUnixNano) / 1e6,
    ...(kind === 'sum' ? { isMonotonic: data.isMonotonic === true } : {}),
    ...(kind === 'gauge' || kind === 'sum' ? { value: point.asDouble } : histogramOf(point)),
  }));
}

function histogramOf({
  count,
  sum,
  min,
  max,
  scale,
  positive,
  bucketCounts,
  explicitBounds,
}: WirePoint): Partial<ReceivedPoint> {
  return {
    count: Number(count),
    sum,
    min,
    max,
    scale,
    offset: positive?.offset,
    bucketCounts: (positive?.bucketCounts ?? bucketCounts ?? []).map(Number),
    explicitBounds,
  };
}
