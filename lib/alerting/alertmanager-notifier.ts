import { clearTimeout, setTimeout } from 'node:timers';
import type { PerformanceAlert } from './alert.js';
import { endpointOf } from './endpoint-url.js';
import type { AlertingService, AlertNotification, Notifier, NotifierStatus } from './notifier.js';
import type { AlertmanagerOptions } from './notifier-options.js';
import { postJson } from './post-json.js';

/** An Alertmanager takes for resolved what was not sent again in time (5 minutes by default). */
const RESEND_MS = 60_000;
/** An alert that is not sent again, because the process is gone, ends after so many times: three are lost, as with Prometheus. */
const LASTS = 4;
/** What is resolved is sent again for as long, should it not have got through. */
const RESOLVED_FOR_MS = 900_000;
const TIMEOUT_MS = 5000;
/** After a failure, the pause until it is tried again: doubled up to the time between two sends. */
const FIRST_RETRY_MS = 5000;
/** Alerts that it knows of. The evaluator has no more that fire. */
export const MAX_ALERTS = 2000;

/** As `POST /api/v2/alerts` takes it. */
interface PostedAlert {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

/**
 * Keeps an Alertmanager informed of what fires, as Prometheus does: all of it is sent again every minute, so that one
 * that was away or restarted knows it too. There is no queue of what failed: what is sent next time tells it all.
 */
export class AlertmanagerNotifier implements Notifier {
  readonly name = 'alertmanager';
  private readonly url: URL;
  private readonly headers: Readonly<Record<string, string>>;
  /** By id of the episode: what fires, and what is resolved and not yet known to be. */
  private readonly alerts = new Map<string, PerformanceAlert>();
  private nextAt = Number.NEGATIVE_INFINITY;
  private readonly lastsMs: number;
  private retryMs = FIRST_RETRY_MS;
  private sending: Promise<void> | undefined;
  private changed = false;
  private readonly closing = new AbortController();
  private counts = { sent: 0, failed: 0, dropped: 0 };
  private failure: string | undefined;

  /**
   * @param warn is told once of each streak of failures
   * @param tickMs how often {@link tick} is called, in milliseconds
   */
  constructor(
    private readonly options: AlertmanagerOptions,
    private readonly service: AlertingService,
    private readonly warn: (message: string) => void,
    tickMs = RESEND_MS,
  ) {
    this.lastsMs = LASTS * Math.max(RESEND_MS, tickMs);
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
    // While it fails, what is new waits for the next attempt, too.
    if (this.failure === undefined) this.nextAt = timestamp;
  }

  tick(now: number): void {
    // Further ahead than that it is by a clock that was set back since.
    const waits = now < this.nextAt && this.nextAt <= now + RESEND_MS;
    if (this.alerts.size === 0 || waits || this.sending !== undefined) return;
    this.sending = this.send(now);
  }

  async flush(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
      timer.unref();
    });
    await Promise.race([this.sendRest(), late]);
    clearTimeout(timer);
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
      for (const alert of alerts) this.forget(alert);
    } else {
      this.counts.failed++;
      this.changed = true;
      this.nextAt = now + this.retryMs;
      this.retryMs = Math.min(RESEND_MS, this.retryMs * 2);
      for (const alert of alerts) if (now - alert.timestamp > RESOLVED_FOR_MS) this.forget(alert);
    }
    this.note(failure);
    this.sending = undefined;
  }

  /** Drops one that is resolved and was sent, unless something else is known of it by now. */
  private forget(alert: PerformanceAlert): void {
    if (alert.state === 'resolved' && this.alerts.get(alert.id) === alert) this.alerts.delete(alert.id);
  }

  private posted(alert: PerformanceAlert, now: number): PostedAlert {
    const { rule, severity, subject, labels, summary, value, unit, firedAt, timestamp, state } = alert;
    const { serviceName, serviceVersion, hostName } = this.service;
    const { generatorUrl } = this.options;
    // The clock may have been set back meanwhile.
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
        state === 'firing' ? now + this.lastsMs : Math.max(timestamp, startedAt + 1),
      ).toISOString(),
      ...(generatorUrl === undefined ? {} : { generatorURL: generatorUrl }),
    };
  }

  private note(failure: string | undefined): void {
    if (failure !== undefined && this.failure === undefined) {
      this.warn(
        `Alerts cannot be sent to the Alertmanager at ${this.url.origin} (${failure}). It is tried again until it ` +
          'works. This is said once until then.',
      );
    }
    this.failure = failure;
  }
}

/** An Alertmanager takes names of letters, digits and `_` alone, and no label without a value. */
function labelsOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [name.replace(/\W/g, '_').replace(/^(?=\d)/, '_'), value]),
  );
}
