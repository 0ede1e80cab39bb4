import {
  type Context,
  isSpanContextValid,
  isValidTraceId,
  SamplingDecision,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import type { Sampler, SamplingResult } from '@opentelemetry/sdk-trace-node';
import type { ResolvedOptions } from '../monitor/options.js';
import type { OwnSampling } from './own-tracer.js';

const SAMPLED: SamplingResult = Object.freeze({ decision: SamplingDecision.RECORD_AND_SAMPLED });
const DROPPED: SamplingResult = Object.freeze({ decision: SamplingDecision.NOT_RECORD });

/** The traces that `tracing.sampling` or OpenTelemetry's variables select for export. */
export function samplingOf({ tracing, telemetry }: ResolvedOptions): OwnSampling {
  const {
    kind,
    ratio: asked,
    parentBased: isParentBased,
  } = telemetry.sampler ?? { kind: 'traceidratio', ratio: tracing.sampling.ratio, parentBased: true };
  const ratio = kind === 'traceidratio' ? asked : kind === 'always_on' ? 1 : 0;
  // A sampler of the environment does what the specification says.
  const trusts = telemetry.sampler !== undefined || tracing.trustIncomingSampling;
  const sampler = new TraceSampler(ratio, isParentBased, trusts);
  return { sampler, keepsAll: ratio >= 1, isParentBased };
}

/**
 * Samples a share of the traces by their ids, and spans within a trace as the span around them. Decides as the SDK's
 * `ParentBasedSampler` and `TraceIdRatioBasedSampler` do, so that all services keep the same traces.
 */
export class TraceSampler implements Sampler {
  private readonly bound: number;

  /**
   * @param ratio the share of the traces, 0 to 1
   * @param isParentBased whether the span around decides, if there is one
   * @param trusts whether the span around may be that of another service which has sampled it
   */
  constructor(
    private readonly ratio: number,
    private readonly isParentBased: boolean,
    private readonly trusts: boolean,
  ) {
    this.bound = ratio >= 1 ? 2 ** 32 : Math.floor(Math.max(0, ratio) * 0xff_ff_ff_ff);
  }

  shouldSample(context: Context, traceId: string): SamplingResult {
    const parent = this.isParentBased ? trace.getSpanContext(context) : undefined;
    if (parent === undefined || !isSpanContextValid(parent)) return this.byId(traceId);
    if ((parent.traceFlags & TraceFlags.SAMPLED) === 0) return DROPPED;
    return parent.isRemote === true && !this.trusts ? this.byId(traceId) : SAMPLED;
  }

  private byId(traceId: string): SamplingResult {
    if (this.ratio >= 1) return SAMPLED;
    return isValidTraceId(traceId) && mixed(traceId) < this.bound ? SAMPLED : DROPPED;
  }

  toString(): string {
    const ratio = `TraceIdRatioBased{${this.ratio}}`;
    return this.isParentBased ? `ParentBased{root=${ratio}, trusts=${this.trusts}}` : ratio;
  }
}

/** The four parts of an id, combined. */
function mixed(traceId: string): number {
  let all = 0;
  for (let at = 0; at < 32; at += 8) all ^= Number.parseInt(traceId.slice(at, at + 8), 16);
  return all >>> 0;
}
