import { describe, expect, it } from '@jest/globals';
import { type Context, createContextKey, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { EMPTY_CONTEXT } from '../../lib/tracing/flat-context.js';

const [ONE, OTHER, THIRD] = [createContextKey('one'), createContextKey('other'), createContextKey('third')];

/** What OpenTelemetry's context and this package's answer after the same calls. */
function both(change: (context: Context) => Context): unknown[][] {
  return [ROOT_CONTEXT, EMPTY_CONTEXT].map((context) => {
    const changed = change(context);
    return [ONE, OTHER, THIRD].map((key) => changed.getValue(key));
  });
}

describe('the context of a request', () => {
  it.each<[string, (context: Context) => Context]>([
    ['nothing', (context) => context],
    ['a value', (context) => context.setValue(ONE, 1)],
    ['a value of another first key', (context) => context.setValue(OTHER, 1)],
    ['a replaced value', (context) => context.setValue(ONE, 1).setValue(OTHER, 2).setValue(ONE, 3)],
    ['undefined', (context) => context.setValue(ONE, undefined).setValue(OTHER, 1)],
    ['a deleted value', (context) => context.setValue(ONE, 1).setValue(OTHER, 2).deleteValue(ONE)],
    ['a value that is set again', (context) => context.setValue(ONE, 1).deleteValue(ONE).setValue(ONE, 2)],
    ['a deleted value that was never set', (context) => context.setValue(ONE, 1).deleteValue(THIRD)],
    ['three', (context) => context.setValue(ONE, 1).setValue(OTHER, 2).setValue(THIRD, 3)],
  ])('answers as that of OpenTelemetry: %s', (_what, change) => {
    const [theirs, ours] = both(change);
    expect(ours).toEqual(theirs);
  });

  it('is not changed by what is derived from it', () => {
    const first = EMPTY_CONTEXT.setValue(ONE, 1);
    first.setValue(ONE, 2);
    first.setValue(OTHER, 3);
    first.deleteValue(ONE);
    EMPTY_CONTEXT.setValue(OTHER, 4);
    expect([first.getValue(ONE), first.getValue(OTHER), EMPTY_CONTEXT.getValue(OTHER)]).toEqual([
      1,
      undefined,
      undefined,
    ]);
  });

  it('has the span and the baggage that the api sets', () => {
    const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 });
    const baggage = propagation.createBaggage({ tenant: { value: 'a' } });
    const context = propagation.setBaggage(trace.setSpan(EMPTY_CONTEXT, span), baggage);
    expect(trace.getSpan(context)).toBe(span);
    expect(propagation.getBaggage(context)).toBe(baggage);
    expect(propagation.getBaggage(propagation.deleteBaggage(context))).toBeUndefined();
    expect(trace.getSpan(trace.deleteSpan(context))).toBeUndefined();
  });
});
