import type { Complete } from '../validation/complete.js';

/** Who is told of alerts. */
export interface NotifierOptions {
  /** Write them to the log: by their severity, or all at one level. Default true. */
  log?: boolean | { level: AlertLogLevel } | undefined;
  webhook?: WebhookOptions | undefined;
  alertmanager?: AlertmanagerOptions | undefined;
  /** A short span `performance.alert` for each, in the application's own traces. Default false. */
  openTelemetry?: boolean | undefined;
}

export type AlertLogLevel = 'log' | 'warn' | 'error';

/** Where alerts are posted to as JSON. */
export interface WebhookOptions {
  url: string;
  /** What the header `X-Performance-Signature` is made with. At least 16 characters. */
  secret?: string | undefined;
  /** Sent along, such as `{ authorization: 'Bearer …' }`. */
  headers?: Record<string, string> | undefined;
  /** How long one attempt may take. Default 5000. */
  timeoutMs?: number | undefined;
  /** Attempts after the first one. Default 5. */
  maxRetries?: number | undefined;
  /** Notifications that wait; the oldest gives way. Default 100. */
  maxQueue?: number | undefined;
}

/** An Alertmanager, version 0.16 or later. */
export interface AlertmanagerOptions {
  /** Its address, such as `http://localhost:9093`. */
  url: string;
  /** Given as `Authorization: Bearer TOKEN`. */
  token?: string | undefined;
  /** Where a person finds more: the address of the application's `/performance`. */
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
