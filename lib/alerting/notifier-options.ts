import type { Complete } from '../validation/complete.js';

/** Notification channels. */
export interface NotifierOptions {
  /** Write notifications to the log, at the level of their severity or all at one level. Default true. */
  log?: boolean | { level: AlertLogLevel } | undefined;
  webhook?: WebhookOptions | undefined;
  alertmanager?: AlertmanagerOptions | undefined;
  /** Record each alert as a span `performance.alert` in a trace of its own. Default false. */
  openTelemetry?: boolean | undefined;
}

export type AlertLogLevel = 'log' | 'warn' | 'error';

/** A URL that receives notifications as JSON by POST. */
export interface WebhookOptions {
  url: string;
  /** The key of the header `X-Performance-Signature`. At least 16 characters. */
  secret?: string | undefined;
  /** Additional request headers, such as `{ authorization: 'Bearer …' }`. */
  headers?: Record<string, string> | undefined;
  /** The time limit of one attempt in milliseconds. Default 5000. */
  timeoutMs?: number | undefined;
  /** Attempts after the first one. Default 5. */
  maxRetries?: number | undefined;
  /** The number of queued notifications. Beyond it, the oldest one is dropped. Default 100. */
  maxQueue?: number | undefined;
}

/** An Alertmanager, version 0.16 or later. */
export interface AlertmanagerOptions {
  /** Its URL, such as `http://localhost:9093`. */
  url: string;
  /** Sent as `Authorization: Bearer TOKEN`. */
  token?: string | undefined;
  /** The link of each alert: the URL of the application's `/performance`. */
  generatorUrl?: string | undefined;
}

export interface ResolvedNotifierOptions {
  readonly log: boolean | { readonly level: AlertLogLevel };
  readonly webhook:
    | (Complete<Omit<WebhookOptions, 'secret'>> & { readonly secret: string | undefined })
    | undefined;
  readonly alertmanager: Readonly<AlertmanagerOptions> | undefined;
  readonly openTelemetry: boolean;
}
