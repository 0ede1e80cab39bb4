import { createHash } from 'node:crypto';
import type { PerformanceAlert } from './alert.js';
import type { AlertNotification } from './notifier.js';

/** Decides which of several instances notifies of an alert that they have in common. */
export interface AlertSharing {
  /**
   * The alerts of a notification of which this instance notifies: all of them if that cannot be decided in time. Never rejects.
   * @param repeatIntervalMs after which an alert that still fires is repeated
   */
  admitted(
    notification: AlertNotification,
    repeatIntervalMs: number | undefined,
  ): Promise<readonly PerformanceAlert[]>;
  /** Set by the receiver: called with an alert of which this instance has to notify after all, as another one ended. */
  onTakenOver: ((alert: PerformanceAlert) => void) | undefined;
}

/** The labels that change while an alert fires. */
const CHANGING: ReadonlySet<string> = new Set(['leak_state']);
const NAME_LENGTH = 32;

/** The same for the same alert in any instance: of its rule, subject and labels. Safe as part of a file name and of a key. */
export function sharedName({ rule, subject, labels }: PerformanceAlert): string {
  const entries = Object.entries(labels).filter(([label]) => !CHANGING.has(label));
  const identity = JSON.stringify([
    rule,
    subject ?? null,
    entries.sort(([one], [other]) => (one < other ? -1 : 1)),
  ]);
  return createHash('sha256').update(identity).digest('hex').slice(0, NAME_LENGTH);
}
