import type { Severity } from '../explain/finding.js';
import type { AlertNotification, Notifier } from './notifier.js';
import type { AlertLogLevel } from './notifier-options.js';

/** Writes one line to a log. */
export type AlertLog = (level: AlertLogLevel, message: string) => void;

const LEVELS: Readonly<Record<Severity, AlertLogLevel>> = { critical: 'error', warning: 'warn', info: 'log' };
/** The number of alerts that a line lists. */
const LISTED = 5;
const MAX_SUMMARY = 500;

/** Writes each notification to the log, at the level of its severity; resolved alerts at level `log`. */
export class LogNotifier implements Notifier {
  readonly name = 'log';

  /** @param level one level for all; absent: by severity */
  constructor(
    private readonly log: AlertLog,
    private readonly level?: AlertLogLevel,
  ) {}

  notify(notification: AlertNotification): void {
    const { rule, severity, state, alerts, leftOut, repeated } = notification;
    const level = this.level ?? (state === 'resolved' ? 'log' : LEVELS[severity]);
    const lines = alerts
      .slice(0, LISTED)
      .map(({ state, summary }) => `${state === 'firing' ? '' : 'resolved: '}${oneLine(summary)}`);
    if (alerts.length > LISTED) lines.push(`and ${alerts.length - LISTED} more`);
    if (leftOut > 0) lines.push(`(${leftOut} more were resolved before the limit allowed a notification)`);
    const status = repeated ? 'still firing' : state;
    this.log(level, `Alert ${rule} ${status} (${severity}): ${lines.join('; ')}`);
  }
}

/** Line breaks in a summary could forge log lines. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, MAX_SUMMARY);
}
