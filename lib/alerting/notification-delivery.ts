import { randomUUID } from 'node:crypto';
import type { Deadline } from '../async/deadline.js';
import type { DeferredEmitter } from '../async/deferred-emitter.js';
import type { PerformanceAlert } from './alert.js';
import type { AlertSharing } from './alert-sharing.js';
import type { AlertNotification, Notifier } from './notifier.js';

/** Notifications that wait until it is decided which instance sends them. Beyond it, this one sends them. */
const MAX_WAITING = 1000;

/**
 * Delivers notifications to the channels of this instance, and, where instances share their alerts, to channels outside of
 * it only what no other instance sends. Keeps their order.
 */
export class NotificationDelivery {
  private sharing: AlertSharing | undefined;
  private repeatIntervalMs: number | undefined;
  private readonly waiting: AlertNotification[] = [];
  private deciding: Promise<void> | undefined;

  /**
   * @param guarded calls a channel, whose errors it reports
   * @param listeners receive the alerts of each notification that is no repetition
   */
  constructor(
    private readonly notifiers: readonly Notifier[],
    private readonly guarded: (action: () => void) => void,
    private readonly listeners: Pick<DeferredEmitter<PerformanceAlert>, 'emit' | 'hasListeners'>,
  ) {}

  /** From now on, one of several instances notifies of an alert. */
  share(sharing: AlertSharing, repeatIntervalMs: number | undefined): void {
    this.sharing = sharing;
    this.repeatIntervalMs = repeatIntervalMs;
    sharing.onTakenOver = (alert) => {
      const { rule, severity, state } = alert;
      this.notifyOutside({
        ...{ id: randomUUID(), rule, severity, state, alerts: [alert] },
        ...{ leftOut: 0, repeated: false, timestamp: Date.now() },
      });
    };
  }

  deliver(notification: AlertNotification): void {
    for (const notifier of this.notifiers)
      if (notifier.isShared !== true) this.guarded(() => notifier.notify(notification));
    if (!this.listeners.hasListeners && !this.notifiers.some(({ isShared }) => isShared === true)) return;
    if (this.sharing === undefined || this.waiting.length >= MAX_WAITING) this.notifyOutside(notification);
    else {
      this.waiting.push(notification);
      this.deciding ??= this.decide(this.sharing);
    }
  }

  /** Waits for what is not decided, until the deadline, and then sends it. Never rejects. */
  async settle(deadline: Deadline): Promise<void> {
    if (this.deciding === undefined) return;
    await deadline.settle(this.deciding);
    this.sharing = undefined;
    for (const notification of this.waiting.splice(0)) this.notifyOutside(notification);
  }

  private async decide(sharing: AlertSharing): Promise<void> {
    for (let [next] = this.waiting; next !== undefined; [next] = this.waiting) {
      const alerts = await sharing.admitted(next, this.repeatIntervalMs);
      // Sent by `settle` meanwhile.
      if (this.waiting[0] !== next) break;
      this.waiting.shift();
      if (alerts.length > 0) this.notifyOutside(withAlerts(next, alerts));
    }
    this.deciding = undefined;
  }

  private notifyOutside(notification: AlertNotification): void {
    for (const notifier of this.notifiers)
      if (notifier.isShared === true) this.guarded(() => notifier.notify(notification));
    if (notification.repeated) return;
    for (const alert of notification.alerts) this.listeners.emit(alert);
  }
}

function withAlerts(notification: AlertNotification, alerts: readonly PerformanceAlert[]): AlertNotification {
  const state = alerts.some((alert) => alert.state === 'firing') ? 'firing' : 'resolved';
  return { ...notification, alerts, state };
}
