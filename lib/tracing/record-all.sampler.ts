import {
  type Attributes,
  type Context,
  type Link,
  SamplingDecision,
  type SpanKind,
} from '@opentelemetry/api';
import type { Sampler, SamplingResult } from '@opentelemetry/sdk-trace-node';

/**
 * Records what another sampler would leave out, without marking it as sampled: span processors see every span, so
 * that every operation counts, and exporters get those that the other sampler chose. Must be the outermost one.
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
