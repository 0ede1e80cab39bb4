// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { backoffMs } from '../async/backoff.js';
import { Deadline } from '../async/deadline.js';
import type { AlertingService, AlertNotification, Notifier, NotifierStatus } from './notifier.js';
import type { ResolvedNotifierOptions } from './notifier-options.js';
import { endpointOf, postJson } from './post-json.js';
import { SIGNATURE_HEADER, sign } from './webhook-signature.js';

/** Increases with incompatible changes of the body. */
export const WEBHOOK_VERSION = 1;

/** The JSON body of a request. */
export type WebhookBody = AlertNotification & {
  readonly version: typeof WEBHOOK_VERSION;
  readonly service: { readonly name: string; readonly version?: string; readonly host: string };
  /** The summaries of the alerts, one per line. */
  readonly text: string;
};

type WebhookSettings = NonNullable<ResolvedNotifierOptions['webhook']>;

/**
 * Posts notifications to a URL as JSON, in order. Failed deliveries are retried with growing pauses. Beyond the queue limit,
 * the oldest waiting notification is dropped.
 */
export class WebhookNotifier implements Notifier {
  readonly name = 'webhook';
  readonly isShared = true;
  private readonly url: URL;
  private readonly headers: Readonly<Record<string, string>>;
  private queue: string[] = [];
  private draining: Promise<void> | undefined;
  private closing = new AbortController();
  private hurry: (() => void) | undefined;
  private flushing = false;
  private counts = { sent: 0, failed: 0, dropped: 0 };
  private failure: string | undefined;

  /** @param warn called once for consecutive failures */
  constructor(
    private readonly settings: WebhookSettings,
    private readonly service: AlertingService,
    private readonly warn: (message: string) => void,
    private readonly random: () => number = Math.random,
  ) {
    const { url, headers } = endpointOf(settings.url);
    this.url = url;
    this.headers = { ...headers, ...settings.headers };
  }

  get status(): NotifierStatus {
    return {
      ...this.counts,
      waiting: this.queue.length,
      ...(this.failure === undefined ? {} : { failure: this.failure }),
    };
  }

  notify(notification: AlertNotification): void {
    this.queue.push(JSON.stringify(this.bodyOf(notification)));
    // The first one is being sent and may have arrived already, so it stays.
    if (this.queue.length > this.settings.maxQueue) {
      this.queue.splice(this.draining === undefined || this.queue.length === 1 ? 0 : 1, 1);
      this.counts.dropped++;
    }
    this.draining ??= this.drain();
  }

  async flush(timeoutMs: number): Promise<void> {
    if (this.draining === undefined) return;
    this.flushing = true;
    this.hurry?.();
    await new Deadline(timeoutMs).settle(this.draining);
    this.counts.dropped += this.queue.length;
    this.queue = [];
    this.closing.abort();
    this.closing = new AbortController();
    this.flushing = false;
  }

  private bodyOf(notification: AlertNotification): WebhookBody {
    const { serviceName, serviceVersion, hostName } = this.service;
    return {
      version: WEBHOOK_VERSION,
      ...notification,
      service: {
        name: serviceName,
        ...(serviceVersion === undefined ? {} : { version: serviceVersion }),
        host: hostName,
      },
      text: notification.alerts.map(({ state, summary }) => `${state}: ${summary}`).join('\n'),
    };
  }

  private async drain(): Promise<void> {
    const { signal } = this.closing;
    for (let [body] = this.queue; body !== undefined; [body] = this.queue) {
      const delivered = await this.deliver(body, signal);
      // `flush` has dropped and counted it.
      if (signal.aborted) break;
      this.queue.shift();
      if (delivered) this.counts.sent++;
      else this.counts.failed++;
    }
    this.draining = undefined;
  }

  private async deliver(body: string, signal: AbortSignal): Promise<boolean> {
    const { secret, timeoutMs, maxRetries } = this.settings;
    for (let attempt = 0; ; attempt++) {
      const seconds = Math.floor(Date.now() / 1000);
      const headers =
        secret === undefined
          ? this.headers
          : { ...this.headers, [SIGNATURE_HEADER]: sign(secret, body, seconds) };
      const { failure, retry, retryAfterMs } = await postJson(this.url, body, headers, timeoutMs, signal);
      this.note(failure);
      if (failure === undefined) return true;
      // During `flush` there is one last attempt without pauses.
      if (signal.aborted || !retry || attempt >= maxRetries || this.flushing) return false;
      await this.pause(retryAfterMs ?? backoffMs(attempt, this.random));
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.hurry?.(), ms);
      timer.unref();
      this.hurry = () => {
        clearTimeout(timer);
        this.hurry = undefined;
        resolve();
      };
    });
  }

  private note(failure: string | undefined): void {
    if (failure !== undefined && this.failure === undefined) {
      this.warn(
        `Alerts cannot be sent to ${this.url.origin} (${failure}). Each notification is tried up to ` +
          `${this.settings.maxRetries + 1} times. This warning is not repeated until a delivery succeeds.`,
      );
    }
    this.failure = failure;
  }
}
