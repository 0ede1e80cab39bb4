import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';
import { reasonOf } from '../async/thrown.js';
import type { OtlpTarget } from '../monitor/telemetry-variables.js';
import { own } from '../validation/own.js';
import { InstalledModules } from './installed-modules.js';

type Signal = 'spans' | 'metrics';
type ExporterClass<Exporter> = new (config: { url: string }) => Exporter;

/** OpenTelemetry's exporters over HTTP, of which an application installs what it uses. */
const PACKAGES = {
  spans: {
    'http/protobuf': '@opentelemetry/exporter-trace-otlp-proto',
    'http/json': '@opentelemetry/exporter-trace-otlp-http',
  },
  metrics: {
    'http/protobuf': '@opentelemetry/exporter-metrics-otlp-proto',
    'http/json': '@opentelemetry/exporter-metrics-otlp-http',
  },
} as const;

/** Where the export is reported. */
export interface ExportLog {
  log(message: string): void;
  warn(message: string): void;
}

/**
 * The exporter of spans to a receiver. Each reads its headers, timeout, compression and certificates from the environment.
 * Undefined, after a warning that says what to install, if its package is missing.
 */
export async function spanExporter(target: OtlpTarget, log: ExportLog): Promise<SpanExporter | undefined> {
  if (target.protocol !== 'grpc')
    return create<SpanExporter>('spans', 'OTLPTraceExporter', target, target.protocol, log);
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
  reportExport('spans', target, log);
  return new OTLPTraceExporter({ url: target.url });
}

/** As {@link spanExporter}, for metrics. */
export async function metricExporter(
  target: OtlpTarget,
  log: ExportLog,
): Promise<PushMetricExporter | undefined> {
  if (target.protocol !== 'grpc')
    return create<PushMetricExporter>('metrics', 'OTLPMetricExporter', target, target.protocol, log);
  const exporter = await grpcMetricExporter(target.url);
  reportExport('metrics', target, log);
  return exporter;
}

/**
 * As OpenTelemetry's exporter of metrics over gRPC, whose package brings the one over HTTP. It prefers no temporality: only a
 * reader of the SDK would ask.
 */
async function grpcMetricExporter(url: string): Promise<PushMetricExporter> {
  const base = await import('@opentelemetry/otlp-grpc-exporter-base');
  const transformer = await import('@opentelemetry/otlp-transformer');
  const delegate = base.createOtlpGrpcExportDelegate(
    base.convertLegacyOtlpGrpcOptions({ url }, 'METRICS'),
    transformer.ProtobufMetricsSerializer,
    'otlp_grpc_metric_exporter',
    transformer.MetricsExporterMetricsHelper,
    undefined,
    'MetricsExportService',
    '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  );
  const exporter = {
    // Where `abortable` looks for requests that wait for their answer.
    _delegate: delegate,
    export: delegate.export.bind(delegate),
    forceFlush: () => delegate.forceFlush(),
    shutdown: () => delegate.shutdown(),
  };
  return exporter;
}

function create<Exporter>(
  signal: Signal,
  className: string,
  target: OtlpTarget,
  protocol: keyof (typeof PACKAGES)[Signal],
  log: ExportLog,
): Exporter | undefined {
  const name = PACKAGES[signal][protocol];
  const why = `${capitalized(signal)} are not exported to ${target.shown}: the protocol ${protocol} needs ${name}`;
  const modules = new InstalledModules();
  if (modules.find(name) === undefined) {
    log.warn(`${why}. Run npm install ${name}, or set OTEL_EXPORTER_OTLP_PROTOCOL=grpc.`);
    return undefined;
  }
  try {
    const exports = modules.load(name) as Record<string, ExporterClass<Exporter>>;
    const Exporter = own(exports, className);
    if (Exporter === undefined) throw new Error(`it has no ${className}`);
    const exporter = new Exporter({ url: target.url });
    reportExport(signal, target, log);
    return exporter;
  } catch (error) {
    log.warn(`${why}, which failed to load: ${reasonOf(error)}`);
    return undefined;
  }
}

function reportExport(signal: Signal, { shown, protocol, origin }: OtlpTarget, log: ExportLog): void {
  log.log(`${capitalized(signal)} are exported to ${shown} by OTLP over ${protocol} (set by ${origin}).`);
}

function capitalized(signal: Signal): string {
  return signal === 'spans' ? 'Spans' : 'Metrics';
}
