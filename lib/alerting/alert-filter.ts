import type { Severity } from '../explain/finding.js';
import type { PerformanceAlert } from './alert.js';
import { fits } from './wildcard.js';

/** Which alerts are meant: all that is given must fit, of several values one. */
export interface AlertFilter {
  /** The name of a rule, where `*` stands for anything. */
  rule?: string | readonly string[] | undefined;
  /** What the alert is about, such as `GET /orders/*`. An alert about nothing in particular has the subject ``. */
  subject?: string | readonly string[] | undefined;
  severity?: Severity | readonly Severity[] | undefined;
  state?: PerformanceAlert['state'] | undefined;
}

/** Whether it is one of those that are meant. */
export function matches({ rule, subject, severity, state }: AlertFilter, alert: PerformanceAlert): boolean {
  return (
    (state === undefined || state === alert.state) &&
    (severity === undefined || [severity].flat().includes(alert.severity)) &&
    (rule === undefined || [rule].flat().some((pattern) => fits(pattern, alert.rule))) &&
    (subject === undefined || [subject].flat().some((pattern) => fits(pattern, alert.subject ?? '')))
  );
}
