import type { PerformanceAlert } from '../alerting/alert.js';

/** The maximum number of events kept; the oldest are dropped. */
export const MAX_KEPT_ALERTS = 200;

/** The latest firing and resolved events of alerts. */
export class AlertHistory {
  private readonly kept: PerformanceAlert[] = [];
  private next = 0;

  add(alert: PerformanceAlert): void {
    this.kept[this.next] = alert;
    this.next = (this.next + 1) % MAX_KEPT_ALERTS;
  }

  /** The newest first. */
  list(): PerformanceAlert[] {
    const { kept, next } = this;
    return [...kept.slice(next), ...kept.slice(0, next)].reverse();
  }
}
