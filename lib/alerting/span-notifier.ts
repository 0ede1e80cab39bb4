import { ROOT_CONTEXT } from '@opentelemetry/api';
import { liveSpanOf } from '../spans/live-span.js';
import { currentTracer } from '../spans/tracing-runtime.js';
import type { AlertNotification, Notifier } from './notifier.js';

/**
 * Records each alert as a span `performance.alert` without duration, in a trace of its own. It is not an operation, so it is
 * not counted, and it is always exported.
 *
 * A log record would be OpenTelemetry's form of an event, but without a logger provider it would be lost. Spans are exported
 * already.
 */
export class SpanNotifier implements Notifier {
  readonly name = 'openTelemetry';

  notify({ alerts, repeated }: AlertNotification): void {
    if (repeated) return;
    for (const alert of alerts) {
      const span = currentTracer().startSpan(
        'performance.alert',
        {
          root: true,
          attributes: {
            'performance.alert.id': alert.id,
            'performance.alert.rule': alert.rule,
            'performance.alert.state': alert.state,
            'performance.alert.severity': alert.severity,
            'performance.alert.subject': alert.subject,
            'performance.alert.value': alert.value,
            'performance.alert.threshold': alert.threshold,
            'performance.alert.unit': alert.unit,
            'performance.alert.fired_at': new Date(alert.firedAt).toISOString(),
            'performance.alert.summary': alert.summary,
            ...Object.fromEntries(
              Object.entries(alert.labels).map(([name, value]) => [`performance.alert.label.${name}`, value]),
            ),
          },
        },
        ROOT_CONTEXT,
      );
      const state = liveSpanOf(span);
      if (state !== undefined) {
        state.duplicate = true;
        // What is notable is exported though the sampler left it out.
        state.request.isNotable = true;
      }
      span.end();
    }
  }
}
