import type * as Sdk from '@opentelemetry/sdk-trace-node';
import type { NodeTracerProvider, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { ExportHealth } from '../metrics/export-health.js';
import type { ResolvedOptions } from '../monitor/options.js';
import { serviceAttributes } from '../operation/service-options.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { abortable } from './abortable-exporter.js';
import { hasOldNames, withOldNames } from './old-attribute-names.js';
import { type ExportLog, spanExporter } from './otlp-exporters.js';
import type { OwnSampling } from './own-tracer.js';
import { RecordAllSampler } from './record-all.sampler.js';
import type { SlowSpanProcessor } from './slow-span.processor.js';
import { SlowTraceProcessor } from './slow-trace.processor.js';

/**
 * The tracer provider of this package, for an application without one.
 * @param processor counts its spans
 * @returns also what aborts its exports
 */
export async function buildProvider(
  options: ResolvedOptions,
  processor: SlowSpanProcessor,
  log: ExportLog,
): Promise<{ provider: NodeTracerProvider; abort: () => void }> {
  const sdk = await import('@opentelemetry/sdk-trace-node');
  const { resourceFromAttributes, defaultResource } = await import('@opentelemetry/resources');
  const { tracing, telemetry } = options;
  const { otlp, console, warnings } = telemetry.traces;
  for (const warning of warnings) log.warn(warning);
  const processors: [SlowSpanProcessor, ...SpanProcessor[]] = [processor];
  let abort = (): void => {};
  const { semanticConventions } = tracing;
  const inNames = (to: SpanExporter): SpanExporter =>
    hasOldNames(semanticConventions) ? withOldNames(to, semanticConventions) : to;
  const exporter = otlp && (await spanExporter(otlp, log));
  if (exporter !== undefined) {
    abort = abortable(exporter);
    const batch = new sdk.BatchSpanProcessor(inNames(watched(exporter, otlp?.shown ?? '', log)));
    processors.push(keepsSlowTraces(options) ? new SlowTraceProcessor(batch, tracing.sampling) : batch);
  }
  if (console) processors.push(new sdk.SimpleSpanProcessor(inNames(new sdk.ConsoleSpanExporter())));
  if (processors.length > 1) processor.withRedaction();
  const sampling = samplingOf(sdk, options);
  const resource = defaultResource().merge(resourceFromAttributes(serviceAttributes(options)));
  const provider = new sdk.NodeTracerProvider({
    resource,
    sampler: new RecordAllSampler(sampling.sampler),
    spanProcessors: processors,
  });
  // Limits of the environment are those of the SDK's own spans.
  if (!hasSpanLimits()) {
    const { OwnTracer } = await import('./own-tracer.js');
    provider.getTracer = (name, version, { schemaUrl } = {}) =>
      new OwnTracer({ name, version, schemaUrl }, resource, sampling, processors);
  }
  return { provider, abort };
}

function hasSpanLimits(): boolean {
  return Object.keys(process.env).some((name) => /^OTEL_(?:SPAN_)?\w+_LIMIT$/.test(name));
}

function samplingOf(sdk: typeof Sdk, { tracing, telemetry }: ResolvedOptions): OwnSampling {
  const { kind, ratio, parentBased } = telemetry.sampler ?? {
    kind: 'traceidratio',
    ratio: tracing.sampling.ratio,
    parentBased: true,
  };
  const keepsAll = kind === 'always_on' || (kind === 'traceidratio' && ratio >= 1);
  const root = keepsAll
    ? new sdk.AlwaysOnSampler()
    : kind === 'always_off'
      ? new sdk.AlwaysOffSampler()
      : new sdk.TraceIdRatioBasedSampler(ratio);
  if (!parentBased) return { sampler: root, keepsAll, isParentBased: false };
  // A sampler of the environment does what the specification says.
  const trusts = telemetry.sampler !== undefined || tracing.trustIncomingSampling;
  const sampler = new sdk.ParentBasedSampler({ root, ...(trusts ? {} : { remoteParentSampled: root }) });
  return { sampler, keepsAll, isParentBased: true };
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
