import {
  type Attributes,
  type Context,
  type Link,
  SamplingDecision,
  type SpanKind,
} from '@opentelemetry/api';
import type { Sampler, SamplingResult } from '@opentelemetry/sdk-trace-node';

/**
 * Records the spans that another sampler drops, without marking them as sampled: span processors see every span, so that
 * every operation is counted, and exporters get only sampled ones. It must be the outermost sampler.
 */
export class RecordAllSampler implements Sampler {
  constructor(private readonly inner: Sampler) {}

  shouldSample(
    context: Context,
    traceId: string,
    spanName: string,
    spanKind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    const result = this.inner.shouldSample(context, traceId, spanName, spanKind, attributes, links);
    if (result.decision !== SamplingDecision.NOT_RECORD) return result;
    return { ...result, decision: SamplingDecision.RECORD };
  }

  toString(): string {
    return `RecordAll{${this.inner.toString()}}`;
  }
}
