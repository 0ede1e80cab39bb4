import { AlertmanagerNotifier } from './alertmanager-notifier.js';
import { type AlertLog, LogNotifier } from './log-notifier.js';
import type { AlertingService, Notifier } from './notifier.js';
import type { ResolvedNotifierOptions } from './notifier-options.js';
import { SpanNotifier } from './span-notifier.js';
import { WebhookNotifier } from './webhook-notifier.js';

/** The notifiers of the options. @param tickMs the interval of {@link Notifier.tick}, in milliseconds */
export function notifiersOf(
  { log, webhook, alertmanager, openTelemetry }: ResolvedNotifierOptions,
  service: AlertingService,
  write: AlertLog,
  tickMs: number,
): Notifier[] {
  const warn = (message: string): void => write('warn', message);
  const notifiers: Notifier[] = [];
  if (log !== false) notifiers.push(new LogNotifier(write, log === true ? undefined : log.level));
  if (webhook !== undefined) notifiers.push(new WebhookNotifier(webhook, service, warn));
  if (alertmanager !== undefined)
    notifiers.push(new AlertmanagerNotifier(alertmanager, service, warn, tickMs));
  if (openTelemetry) notifiers.push(new SpanNotifier());
  return notifiers;
}
