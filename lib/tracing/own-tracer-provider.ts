import type { Attributes, Tracer, TracerOptions, TracerProvider } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { type OwnSampling, OwnTracer } from './own-tracer.js';

/** The tracer provider of an application that has none. It needs the SDK only to export. */
export class OwnTracerProvider implements TracerProvider {
  /** @param processors the first counts the spans, others export them */
  constructor(
    private readonly resource: Resource,
    private readonly sampling: OwnSampling,
    private readonly processors: readonly [SpanProcessor, ...SpanProcessor[]],
  ) {}

  getTracer(name: string, version?: string, { schemaUrl }: TracerOptions = {}): Tracer {
    return new OwnTracer({ name, version, schemaUrl }, this.resource, this.sampling, this.processors);
  }

  /** Exports what has ended. Rejects if an exporter fails. */
  async forceFlush(): Promise<void> {
    await Promise.all(this.processors.map((processor) => processor.forceFlush()));
  }

  /** Exports what has ended, and nothing after that. Rejects if an exporter fails. */
  async shutdown(): Promise<void> {
    await Promise.all(this.processors.map((processor) => processor.shutdown()));
  }
}

/** The resource of spans that are not exported. */
export class PlainResource implements Resource {
  readonly asyncAttributesPending = false;

  constructor(readonly attributes: Attributes) {}

  merge(other: Resource | null): Resource {
    return new PlainResource({ ...this.attributes, ...other?.attributes });
  }

  getRawAttributes(): [string, Attributes[string]][] {
    return Object.entries(this.attributes);
  }
}
