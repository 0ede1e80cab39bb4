import type { TracerProvider } from '@opentelemetry/api';
import type { SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { ExportHealth } from '../metrics/export-health.js';
import type { ResolvedOptions } from '../monitor/options.js';
import { serviceAttributes } from '../operation/service-options.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { abortable } from './abortable-exporter.js';
import { CompletingProcessor } from './completing-processor.js';
import { acceptEncodedSpans, EncodingProcessor } from './encoded-spans.js';
import { hasOldNames, withOldNames } from './old-attribute-names.js';
import { type ExportLog, spanExporter } from './otlp-exporters.js';
import { OwnTracerProvider, PlainResource } from './own-tracer-provider.js';
import { RecordAllSampler } from './record-all.sampler.js';
import type { SlowSpanProcessor } from './slow-span.processor.js';
import { SlowTraceProcessor } from './slow-trace.processor.js';
import { samplingOf } from './trace-sampler.js';

/** A tracer provider that this package makes. */
export interface OwnProvider extends TracerProvider {
  shutdown(): Promise<void>;
}

/** What exports spans, and what ends that at once. */
interface Exporting {
  readonly processors: readonly SpanProcessor[];
  abort(): void;
}

/**
 * The tracer provider of this package, for an application without one. Loads the SDK only where it exports spans, or limits
 * them as the environment says.
 * @param processor counts its spans
 * @returns also what aborts its exports
 */
export async function buildProvider(
  options: ResolvedOptions,
  processor: SlowSpanProcessor,
  log: ExportLog,
): Promise<{ provider: OwnProvider; abort: () => void }> {
  const { otlp, console, warnings } = options.telemetry.traces;
  for (const warning of warnings) log.warn(warning);
  const sampling = samplingOf(options);
  const attributes = serviceAttributes(options);
  const exports = otlp !== undefined || console;
  if (!exports && !hasSpanLimits()) {
    const provider = new OwnTracerProvider(new PlainResource(attributes), sampling, [processor]);
    return { provider, abort: () => {} };
  }
  const { resourceFromAttributes, defaultResource } = await import('@opentelemetry/resources');
  const resource = defaultResource().merge(resourceFromAttributes(attributes));
  const { processors, abort } = await exporting(options, log);
  if (processors.length > 0) processor.withRedaction();
  if (!hasSpanLimits())
    return { provider: new OwnTracerProvider(resource, sampling, [processor, ...processors]), abort };
  const { NodeTracerProvider } = await import('@opentelemetry/sdk-trace-node');
  const sampler = new RecordAllSampler(sampling.sampler);
  const spanProcessors = [processor, ...processors];
  return { provider: new NodeTracerProvider({ resource, sampler, spanProcessors }), abort };
}

/** Limits of the environment are those of the SDK's own spans. */
function hasSpanLimits(): boolean {
  return Object.keys(process.env).some((name) => /^OTEL_(?:SPAN_)?\w+_LIMIT$/.test(name));
}

async function exporting(options: ResolvedOptions, log: ExportLog): Promise<Exporting> {
  const sdk = await import('@opentelemetry/sdk-trace-node');
  const { tracing, telemetry } = options;
  const { otlp, console } = telemetry.traces;
  const processors: SpanProcessor[] = [];
  let abort = (): void => {};
  const { semanticConventions } = tracing;
  const inNames = (to: SpanExporter): SpanExporter =>
    hasOldNames(semanticConventions) ? withOldNames(to, semanticConventions) : to;
  const exporter = otlp && (await spanExporter(otlp, log));
  if (exporter !== undefined) {
    abort = abortable(exporter);
    // Old names are given to spans, not to their bytes.
    const encodes =
      otlp?.protocol === 'grpc' && !hasOldNames(semanticConventions) && acceptEncodedSpans(exporter);
    const batch = new sdk.BatchSpanProcessor(inNames(watched(exporter, otlp?.shown ?? '', log)));
    const exports = encodes ? new EncodingProcessor(batch) : batch;
    processors.push(keepsSlowTraces(options) ? new SlowTraceProcessor(exports, tracing.sampling) : exports);
  }
  if (console) processors.push(new sdk.SimpleSpanProcessor(inNames(new sdk.ConsoleSpanExporter())));
  return { processors: processors.map((processor) => new CompletingProcessor(processor)), abort };
}
/** Whether slow traces are exported that are not sampled. */
function keepsSlowTraces({ tracing, telemetry }: ResolvedOptions): boolean {
  const { ratio, keepSlowTraces } = tracing.sampling;
  return telemetry.sampler === undefined ? ratio < 1 && keepSlowTraces : telemetry.sampler.keepSlowTraces;
}

/** An exporter that logs once when exports fail, and once when they succeed again. */
function watched(exporter: SpanExporter, endpoint: string, log: ExportLog): SpanExporter {
  const health = new ExportHealth(
    'Spans',
    'These spans are lost; statistics are not affected.',
    endpoint,
    log,
  );
  return {
    export: (spans, done) =>
      meter.measure(COST.export, () =>
        exporter.export(spans, (result) => {
          health.note(result);
          done(result);
        }),
      ),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
