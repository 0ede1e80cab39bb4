import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import type { AlertNotification } from '../../lib/alerting/notifier.js';

export const MINUTE = 60_000;
export const START = Date.UTC(2026, 0, 1);
export const SERVICE = { serviceName: 'shop', serviceVersion: '1.2.3', hostName: 'shop-1' };

/** An alert as the evaluator makes them, with what a test wants of it. */
export function alertOf(over: Partial<PerformanceAlert> = {}): PerformanceAlert {
  return {
    id: 'a',
    state: 'firing',
    rule: 'error_rate',
    severity: 'warning',
    subject: 'GET /orders',
    value: 9,
    threshold: 5,
    unit: '%',
    firedAt: START,
    timestamp: START,
    labels: { operation: 'GET /orders' },
    summary: '9 % of 100 GET /orders operations in the last minute failed (threshold 5 %)',
    ...over,
  };
}

/** A notification of these alerts. */
export function notificationOf(
  alerts: readonly PerformanceAlert[] = [alertOf()],
  over: Partial<AlertNotification> = {},
): AlertNotification {
  const [first = alertOf()] = alerts;
  return {
    id: 'n',
    rule: first.rule,
    severity: first.severity,
    state: first.state,
    alerts,
    leftOut: 0,
    repeated: false,
    timestamp: first.timestamp,
    ...over,
  };
}
