import type { Severity } from '../explain/finding.js';
import type { PerformanceAlert } from './alert.js';

/** What is told at once: the alerts of one rule in one tick. Plain data, fit for JSON. */
export interface AlertNotification {
  /** Unique: who gets it twice, because an answer was lost, can tell by it. */
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  /** `firing` if one of its alerts fires. */
  readonly state: PerformanceAlert['state'];
  /** At least one, at most 100. */
  readonly alerts: readonly PerformanceAlert[];
  /** Alerts before this one that were over before the limit let them be told. */
  readonly leftOut: number;
  /** It tells again what was told before and still fires. */
  readonly repeated: boolean;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** Who is told. Nothing here throws or waits. */
export interface Notifier {
  readonly name: string;
  notify(notification: AlertNotification): void;
  /** Called after each evaluation, for what is to be said again while an alert fires. */
  tick?(now: number): void;
  /** Resolves when all is told or given up, at the latest after `timeoutMs`. Never rejects. */
  flush?(timeoutMs: number): Promise<void>;
  readonly status?: NotifierStatus;
}

/** How telling goes, in numbers of notifications. */
export interface NotifierStatus {
  readonly sent: number;
  /** Refused for good, or never answered. */
  readonly failed: number;
  /** Given up before they were sent: there were too many, or no time. */
  readonly dropped: number;
  readonly waiting: number;
  /** Why the last attempt failed; absent once one has got through again. */
  readonly failure?: string;
}

/** Whose alerts they are. */
export interface AlertingService {
  readonly serviceName: string;
  readonly serviceVersion?: string;
  readonly hostName: string;
}
