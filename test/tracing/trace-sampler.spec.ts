import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import fc from 'fast-check';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { samplingOf, TraceSampler } from '../../lib/tracing/trace-sampler.js';

const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''));
const traceIds = fc.oneof(hex(32), fc.constantFrom('0'.repeat(32), 'f'.repeat(32), 'x', ''));
const parents = fc.option(
  fc.record({ spanId: hex(16), traceFlags: fc.constantFrom(0, 1), isRemote: fc.boolean() }),
);

function sdkSampler(ratio: number, isParentBased: boolean, trusts: boolean): Sampler {
  const root =
    ratio === 1
      ? new AlwaysOnSampler()
      : ratio === 0
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  if (!isParentBased) return root;
  return new ParentBasedSampler({ root, ...(trusts ? {} : { remoteParentSampled: root }) });
}

describe('the sampler of traces', () => {
  it("decides as the SDK's samplers", () => {
    const ratios = fc.oneof(fc.constantFrom(0, 0.1, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(
        ...([ratios, fc.boolean(), fc.boolean(), traceIds, parents] as const),
        (ratio, isParentBased, trusts, traceId, parent) => {
          const context =
            parent === null
              ? ROOT_CONTEXT
              : trace.setSpanContext(ROOT_CONTEXT, {
                  ...parent,
                  traceId: /^[\da-f]{32}$/.test(traceId) ? traceId : '1'.repeat(32),
                });
          const expected = sdkSampler(ratio, isParentBased, trusts);
          const own = new TraceSampler(ratio, isParentBased, trusts);
          expect(own.shouldSample(context, traceId).decision).toBe(
            expected.shouldSample(context, traceId, 'a', SpanKind.INTERNAL, {}, []).decision,
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    [{}, {}, 1, true, true],
    [{ tracing: { sampling: { ratio: 0.25 } } }, {}, 0.25, false, true],
    [{}, { OTEL_TRACES_SAMPLER: 'always_off' }, 0, false, false],
    [{}, { OTEL_TRACES_SAMPLER: 'parentbased_always_on' }, 1, true, true],
    [{}, { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' }, 0.5, false, false],
  ])('of %j and %j samples %d of the traces', (options, environment, ratio, keepsAll, isParentBased) => {
    const sampling = samplingOf(resolveOptions(options, environment));
    expect(sampling).toMatchObject({ keepsAll, isParentBased });
    expect(sampling.sampler.toString()).toContain(`{${ratio}}`);
  });
});
