import {
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  SamplingDecision,
  type Span,
  SpanKind,
  type SpanOptions,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, Sampler, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { OwnSpan, type SpanOrigin } from './own-span.js';
import { randomTraceId } from './random-id.js';

/** Which traces are exported. All spans are counted. */
export interface OwnSampling {
  readonly sampler: Sampler;
  /** The sampler keeps every trace that starts here. */
  readonly keepsAll: boolean;
  /** A span below another is sampled as that one. */
  readonly isParentBased: boolean;
}

const NO_OPTIONS: SpanOptions = {};

/** The tracer of this package's own provider. It makes {@link OwnSpan}s, whose ids are made when they are needed. */
export class OwnTracer implements Tracer, SpanOrigin {
  private readonly first: SpanProcessor;
  private readonly others: readonly SpanProcessor[];

  /** @param processors the first counts the spans, others export them */
  constructor(
    readonly instrumentationScope: ReadableSpan['instrumentationScope'],
    readonly resource: Resource,
    private readonly sampling: OwnSampling,
    [first, ...others]: readonly [SpanProcessor, ...SpanProcessor[]],
  ) {
    this.first = first;
    this.others = others;
  }

  startSpan(name: string, options: SpanOptions = NO_OPTIONS, given: Context = context.active()): Span {
    if (isTracingSuppressed(given)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const measured = meter.enter(COST.spanStart);
    try {
      return this.start(name, options, given);
    } finally {
      meter.leave(COST.spanStart, measured);
    }
  }

  private start(name: string, options: SpanOptions, given: Context): Span {
    const around = options.root === true ? trace.deleteSpan(given) : given;
    const parent = trace.getSpan(around);
    const span =
      parent instanceof OwnSpan
        ? this.below(parent, name, options, around)
        : this.outermost(parent, name, options, around);
    this.first.onStart(span as never, around);
    for (const other of this.others) other.onStart(span as never, around);
    return span;
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    ...given: [F] | [SpanOptions, F] | [SpanOptions, Context, F]
  ): ReturnType<F> {
    const run = given.at(-1) as F;
    const [options, parent = context.active()] = given.slice(0, -1) as [SpanOptions?, Context?];
    const span = this.startSpan(name, options, parent);
    return context.with(trace.setSpan(parent, span), () => run(span)) as ReturnType<F>;
  }

  onEnding(span: OwnSpan): void {
    this.first.onEnding?.(span as never);
    for (const other of this.others) other.onEnding?.(span as never);
  }

  onEnd(span: OwnSpan): void {
    this.first.onEnd(span);
    for (const other of this.others) other.onEnd(span);
  }

  private below(parent: OwnSpan, name: string, options: SpanOptions, around: Context): OwnSpan {
    const kind = options.kind ?? SpanKind.INTERNAL;
    const isSampled = this.sampling.isParentBased
      ? parent.isSampled
      : this.isSampled(around, parent.spanContext().traceId, name, kind);
    return new OwnSpan(this, name, kind, parent, undefined, undefined, isSampled, options);
  }

  private outermost(parent: Span | undefined, name: string, options: SpanOptions, around: Context): OwnSpan {
    const kind = options.kind ?? SpanKind.INTERNAL;
    const remote = parent?.spanContext();
    const known = remote !== undefined && isSpanContextValid(remote) ? remote : undefined;
    if (known === undefined && this.sampling.keepsAll)
      return new OwnSpan(this, name, kind, undefined, undefined, undefined, true, options);
    const traceId = known?.traceId ?? randomTraceId();
    const isSampled = this.isSampled(around, traceId, name, kind);
    return new OwnSpan(this, name, kind, undefined, known, traceId, isSampled, options);
  }

  /** The samplers of this package do not read attributes and links. */
  private isSampled(around: Context, traceId: string, name: string, kind: SpanKind): boolean {
    const { decision } = this.sampling.sampler.shouldSample(around, traceId, name, kind, {}, []);
    return decision === SamplingDecision.RECORD_AND_SAMPLED;
  }
}
