import type { Severity } from '../explain/finding.js';
import type { PerformanceAlert } from './alert.js';

/** Selects alerts: all given criteria must match; of several values, one. */
export interface AlertFilter {
  /** The name of a rule; `*` matches any characters. */
  rule?: string | readonly string[] | undefined;
  /** The subject of the alert, such as `GET /orders/*`; `*` matches any characters. An alert without a subject has ``. */
  subject?: string | readonly string[] | undefined;
  severity?: Severity | readonly Severity[] | undefined;
  state?: PerformanceAlert['state'] | undefined;
}

/** Whether a filter selects an alert. */
export function matches({ rule, subject, severity, state }: AlertFilter, alert: PerformanceAlert): boolean {
  return (
    (state === undefined || state === alert.state) &&
    (severity === undefined || [severity].flat().includes(alert.severity)) &&
    (rule === undefined || [rule].flat().some((pattern) => matchesPattern(pattern, alert.rule))) &&
    (subject === undefined ||
      [subject].flat().some((pattern) => matchesPattern(pattern, alert.subject ?? '')))
  );
}

/** Whether a name matches a pattern in which `*` matches any characters, or none. */
export function matchesPattern(pattern: string, name: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  if (others.length === 0) return name === pattern;
  if (!name.startsWith(first)) return false;
  const last = others.pop() ?? '';
  let at = first.length;
  for (const part of others) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
