import { randomUUID } from 'node:crypto';
import { SEVERITIES } from '../explain/finding.js';
import type { PerformanceAlert } from './alert.js';
import type { AlertNotification } from './notifier.js';
import type { Silences } from './silences.js';

const HOUR_MS = 3_600_000;
/** The number of alerts per notification. Further ones follow in the next tick. */
export const MAX_ALERTS = 100;

interface Notified {
  alert: PerformanceAlert;
  at: number;
}
interface Pending {
  readonly alert: PerformanceAlert;
  /** Whether only the limit prevented its notification. */
  limited: boolean;
}
interface Group {
  readonly firing: PerformanceAlert[];
  readonly resolved: PerformanceAlert[];
  readonly repeated: PerformanceAlert[];
}

/**
 * Turns the alerts of the evaluator into notifications: one per rule and tick. Silenced alerts and alerts beyond the limit
 * stay pending. Resolved alerts are notified only if their firing was. Bounded by the evaluator's episodes.
 */
export class NotificationPolicy {
  private readonly notified = new Map<string, Notified>();
  private readonly pending = new Map<string, Pending>();
  private sentAt: number[] = [];
  private leftOut = 0;

  constructor(
    private readonly limits: { readonly maxPerHour: number; readonly repeatIntervalMs?: number },
    private readonly silences: Silences,
    private readonly deliver: (notification: AlertNotification) => void,
  ) {}

  /**
   * Must be called in each tick, even without changes, since silences end and the limit recovers.
   * @param now milliseconds since 1970
   * @param stale the ids of alerts whose traffic has ended: nobody is notified of them until it returns
   */
  settle(
    changes: readonly PerformanceAlert[],
    now: number,
    stale: () => ReadonlySet<string> = () => new Set(),
  ): void {
    const groups = new Map<string, Group>();
    let known: ReadonlySet<string> | undefined;
    const isSilent = (alert: PerformanceAlert): boolean => {
      if (this.silences.covers(alert, now)) return true;
      known ??= stale();
      return known.has(alert.id);
    };
    for (const alert of changes) this.take(alert, groups);
    for (const { alert } of this.pending.values()) {
      if (!isSilent(alert)) groupOf(groups, alert).firing.push(alert);
    }
    this.addRepeated(groups, now, isSilent);
    this.sentAt = this.sentAt.filter((at) => at <= now && now - at < HOUR_MS);
    for (const [rule, group] of [...groups].sort(([, a], [, b]) => weightOf(b) - weightOf(a))) {
      this.notify(rule, group, now);
    }
  }

  private take(alert: PerformanceAlert, groups: Map<string, Group>): void {
    if (alert.state === 'firing') {
      this.pending.set(alert.id, { alert, limited: false });
    } else if (this.notified.delete(alert.id)) {
      groupOf(groups, alert).resolved.push(alert);
    } else {
      if (this.pending.get(alert.id)?.limited === true) this.leftOut++;
      this.pending.delete(alert.id);
    }
  }

  private addRepeated(
    groups: Map<string, Group>,
    now: number,
    isSilent: (alert: PerformanceAlert) => boolean,
  ): void {
    const { repeatIntervalMs } = this.limits;
    if (repeatIntervalMs === undefined) return;
    for (const { alert, at } of this.notified.values()) {
      // The absolute difference, since the clock may have been set back.
      const isDue = Math.abs(now - at) >= repeatIntervalMs;
      if (isDue && !isSilent(alert)) groupOf(groups, alert).repeated.push(alert);
    }
  }

  private notify(rule: string, group: Group, now: number): void {
    const resolved = group.resolved;
    const firing = [...group.firing, ...group.repeated].slice(0, MAX_ALERTS);
    const allowed = firing.length > 0 && this.sentAt.length < this.limits.maxPerHour;
    if (allowed) {
      this.sentAt.push(now);
      for (const alert of firing) {
        this.pending.delete(alert.id);
        this.notified.set(alert.id, { alert, at: now });
      }
      const repeated = group.firing.length === 0;
      const room = MAX_ALERTS - firing.length;
      this.send(rule, 'firing', [...firing, ...resolved.splice(0, room)], repeated, now);
    } else {
      for (const { id } of group.firing) {
        const pending = this.pending.get(id);
        if (pending !== undefined) pending.limited = true;
      }
    }
    while (resolved.length > 0) this.send(rule, 'resolved', resolved.splice(0, MAX_ALERTS), false, now);
  }

  private send(
    rule: string,
    state: AlertNotification['state'],
    alerts: readonly PerformanceAlert[],
    repeated: boolean,
    now: number,
  ): void {
    const severity = [...SEVERITIES]
      .reverse()
      .find((each) => alerts.some((alert) => alert.severity === each));
    const { leftOut } = this;
    this.leftOut = 0;
    this.deliver({
      id: randomUUID(),
      rule,
      severity: severity ?? 'warning',
      state,
      alerts,
      leftOut,
      repeated,
      timestamp: now,
    });
  }
}

function groupOf(groups: Map<string, Group>, { rule }: PerformanceAlert): Group {
  const group = groups.get(rule) ?? { firing: [], resolved: [], repeated: [] };
  groups.set(rule, group);
  return group;
}

/** New alerts of the highest severity come first, so that the limit does not stop them. */
function weightOf({ firing, repeated }: Group): number {
  const severest = (alerts: readonly PerformanceAlert[]): number =>
    Math.max(-1, ...alerts.map(({ severity }) => SEVERITIES.indexOf(severity)));
  return Math.max(severest(firing), severest(repeated) - SEVERITIES.length);
}
