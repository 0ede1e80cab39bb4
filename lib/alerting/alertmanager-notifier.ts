import { Deadline } from '../async/deadline.js';
import type { PerformanceAlert } from './alert.js';
import type { AlertingService, AlertNotification, Notifier, NotifierStatus } from './notifier.js';
import type { AlertmanagerOptions } from './notifier-options.js';
import { endpointOf, postJson } from './post-json.js';

/** Alertmanager resolves alerts that are not sent again in time (5 minutes by default). */
const RESEND_MS = 60_000;
/** If the process is gone, an alert ends after this many intervals: three may be lost, as with Prometheus. */
const LIFETIME_INTERVALS = 4;
/** Resolved alerts are retried for this long. */
const RESOLVED_FOR_MS = 900_000;
const TIMEOUT_MS = 5000;
/** The pause after a failure, which doubles up to {@link RESEND_MS}. */
const FIRST_RETRY_MS = 5000;
/** The number of alerts kept. The evaluator has at most 1000 that fire. */
export const MAX_ALERTS = 2000;

/** The format of `POST /api/v2/alerts`. */
interface PostedAlert {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

/**
 * Sends all firing alerts to an Alertmanager every minute, as Prometheus does, so that it recovers from restarts. Failed
 * requests need no queue, since the next one contains everything.
 */
export class AlertmanagerNotifier implements Notifier {
  readonly name = 'alertmanager';
  private readonly url: URL;
  private readonly headers: Readonly<Record<string, string>>;
  /** By id: firing alerts, and resolved ones that have not been sent yet. */
  private readonly alerts = new Map<string, PerformanceAlert>();
  private nextAt = Number.NEGATIVE_INFINITY;
  private readonly lifetimeMs: number;
  private retryMs = FIRST_RETRY_MS;
  private sending: Promise<void> | undefined;
  private changed = false;
  private readonly closing = new AbortController();
  private counts = { sent: 0, failed: 0, dropped: 0 };
  private failure: string | undefined;

  /**
   * @param warn called once for consecutive failures
   * @param tickMs the interval of {@link tick}, in milliseconds
   */
  constructor(
    private readonly options: AlertmanagerOptions,
    private readonly service: AlertingService,
    private readonly warn: (message: string) => void,
    tickMs = RESEND_MS,
  ) {
    this.lifetimeMs = LIFETIME_INTERVALS * Math.max(RESEND_MS, tickMs);
    const { url, headers } = endpointOf(options.url);
    url.pathname = `${url.pathname.replace(/\/*$/, '')}/api/v2/alerts`;
    url.search = '';
    this.url = url;
    this.headers =
      options.token === undefined ? headers : { ...headers, authorization: `Bearer ${options.token}` };
  }

  get status(): NotifierStatus {
    return {
      ...this.counts,
      waiting: this.changed ? this.alerts.size : 0,
      ...(this.failure === undefined ? {} : { failure: this.failure }),
    };
  }

  notify({ alerts, timestamp }: AlertNotification): void {
    for (const alert of alerts) {
      this.alerts.delete(alert.id);
      this.alerts.set(alert.id, alert);
    }
    for (const id of this.alerts.keys()) {
      if (this.alerts.size <= MAX_ALERTS) break;
      this.alerts.delete(id);
      this.counts.dropped++;
    }
    this.changed = true;
    // After a failure, new alerts wait for the next attempt as well.
    if (this.failure === undefined) this.nextAt = timestamp;
  }

  tick(now: number): void {
    // If `nextAt` is further ahead, the clock was set back.
    const waits = now < this.nextAt && this.nextAt <= now + RESEND_MS;
    if (this.alerts.size === 0 || waits || this.sending !== undefined) return;
    this.sending = this.send(now);
  }

  async flush(timeoutMs: number): Promise<void> {
    await new Deadline(timeoutMs).settle(this.sendRest());
    this.closing.abort();
  }

  private async sendRest(): Promise<void> {
    await this.sending;
    if (this.changed && this.alerts.size > 0) await this.send(Date.now());
  }

  private async send(now: number): Promise<void> {
    this.nextAt = now + RESEND_MS;
    this.changed = false;
    const alerts = [...this.alerts.values()];
    const body = JSON.stringify(alerts.map((alert) => this.posted(alert, now)));
    const { failure } = await postJson(this.url, body, this.headers, TIMEOUT_MS, this.closing.signal);
    if (failure === undefined) {
      this.counts.sent++;
      this.retryMs = FIRST_RETRY_MS;
      for (const alert of alerts) this.removeResolved(alert);
    } else {
      this.counts.failed++;
      this.changed = true;
      this.nextAt = now + this.retryMs;
      this.retryMs = Math.min(RESEND_MS, this.retryMs * 2);
      for (const alert of alerts) if (now - alert.timestamp > RESOLVED_FOR_MS) this.removeResolved(alert);
    }
    this.note(failure);
    this.sending = undefined;
  }

  /** Removes a resolved alert, unless it has changed since. */
  private removeResolved(alert: PerformanceAlert): void {
    if (alert.state === 'resolved' && this.alerts.get(alert.id) === alert) this.alerts.delete(alert.id);
  }

  private posted(alert: PerformanceAlert, now: number): PostedAlert {
    const { rule, severity, subject, labels, summary, value, unit, firedAt, timestamp, state } = alert;
    const { serviceName, serviceVersion, hostName } = this.service;
    const { generatorUrl } = this.options;
    // The clock may have been set back.
    const startedAt = Math.min(firedAt, timestamp, now);
    return {
      labels: labelsOf({
        ...labels,
        ...(subject === undefined ? {} : { subject }),
        ...(serviceVersion === undefined ? {} : { version: serviceVersion }),
        alertname: rule,
        severity,
        service: serviceName,
        instance: hostName,
      }),
      annotations: { summary, value: `${value} ${unit}` },
      startsAt: new Date(startedAt).toISOString(),
      endsAt: new Date(
        state === 'firing' ? now + this.lifetimeMs : Math.max(timestamp, startedAt + 1),
      ).toISOString(),
      ...(generatorUrl === undefined ? {} : { generatorURL: generatorUrl }),
    };
  }

  private note(failure: string | undefined): void {
    if (failure !== undefined && this.failure === undefined) {
      this.warn(
        `Alerts cannot be sent to the Alertmanager at ${this.url.origin} (${failure}). Sending is retried. This ` +
          'warning is not repeated until it succeeds.',
      );
    }
    this.failure = failure;
  }
}

/** Alertmanager allows only letters, digits and `_` in label names, and no empty values. */
function labelsOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [name.replace(/\W/g, '_').replace(/^(?=\d)/, '_'), value]),
  );
}
