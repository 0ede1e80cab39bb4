import type { Severity } from '../explain/finding.js';
import type { PerformanceAlert } from './alert.js';

/** The alerts of one rule in one tick. Plain data, fit for JSON. */
export interface AlertNotification {
  /** Unique. A receiver recognises duplicates by it, which a lost answer causes. */
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  /** `firing` if one of its alerts fires. */
  readonly state: PerformanceAlert['state'];
  /** 1 to 100. */
  readonly alerts: readonly PerformanceAlert[];
  /** Earlier alerts that were resolved before the limit allowed a notification. */
  readonly leftOut: number;
  /** Whether it repeats alerts that are still firing. */
  readonly repeated: boolean;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** A notification channel. Its methods neither throw nor block. */
export interface Notifier {
  readonly name: string;
  /** Whether its receiver is the same for all instances, of which only one notifies it of an alert that they share. */
  readonly isShared?: true;
  notify(notification: AlertNotification): void;
  /** Called after each evaluation, for channels that repeat firing alerts. */
  tick?(now: number): void;
  /** Resolves when everything is sent or dropped, after `timeoutMs` at the latest. Never rejects. */
  flush?(timeoutMs: number): Promise<void>;
  readonly status?: NotifierStatus;
}

/** The delivery of one channel, in numbers of notifications. */
export interface NotifierStatus {
  readonly sent: number;
  /** Rejected permanently, or without an answer after all attempts. */
  readonly failed: number;
  /** Dropped before they were sent, because of the queue limit or the shutdown. */
  readonly dropped: number;
  readonly waiting: number;
  /** Why the last attempt failed; absent if it succeeded. */
  readonly failure?: string;
}

/** The service that sends alerts. */
export interface AlertingService {
  readonly serviceName: string;
  readonly serviceVersion?: string;
  readonly hostName: string;
}
