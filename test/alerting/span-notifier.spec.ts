import { afterEach, describe, expect, it } from '@jest/globals';
import { SpanNotifier } from '../../lib/alerting/span-notifier.js';
import { startTracing, type TestTracing } from '../support/tracing.js';
import { alertOf, notificationOf, START } from './alerts.js';

let tracing: TestTracing;
afterEach(() => tracing.shutdown());

describe('SpanNotifier', () => {
  it('makes a span of each alert, in a trace of its own', () => {
    tracing = startTracing();
    const active = tracing.provider.getTracer('test');
    active.startActiveSpan('request', (span) => {
      new SpanNotifier().notify(
        notificationOf([
          alertOf({ labels: { operation: 'GET /orders', team: 'shop' } }),
          alertOf({ id: 'b', state: 'resolved', subject: undefined }),
        ]),
      );
      span.end();
    });
    const [first, second, request] = tracing.exported();
    expect([first?.name, second?.name]).toEqual(['performance.alert', 'performance.alert']);
    expect(first?.parentSpanContext).toBeUndefined();
    expect(first?.spanContext().traceId).not.toBe(request?.spanContext().traceId);
    expect(first?.attributes).toMatchObject({
      'performance.alert.id': 'a',
      'performance.alert.rule': 'error_rate',
      'performance.alert.state': 'firing',
      'performance.alert.severity': 'warning',
      'performance.alert.subject': 'GET /orders',
      'performance.alert.value': 9,
      'performance.alert.threshold': 5,
      'performance.alert.unit': '%',
      'performance.alert.fired_at': new Date(START).toISOString(),
      'performance.alert.summary': alertOf().summary,
      'performance.alert.label.operation': 'GET /orders',
      'performance.alert.label.team': 'shop',
    });
    expect(second?.attributes['performance.alert.state']).toBe('resolved');
    expect(second?.attributes).not.toHaveProperty('performance.alert.subject');
  });

  it('is not an operation, and does not repeat an alert', () => {
    tracing = startTracing();
    new SpanNotifier().notify(notificationOf());
    new SpanNotifier().notify(notificationOf(undefined, { repeated: true }));
    expect(tracing.exported()).toHaveLength(1);
    expect(tracing.monitor.getStats().totalOperations).toBe(0);
  });

  it('does nothing where there is no provider', async () => {
    tracing = startTracing();
    await tracing.shutdown();
    expect(() => new SpanNotifier().notify(notificationOf())).not.toThrow();
  });
});
