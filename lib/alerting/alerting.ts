import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, setImmediate, setInterval } from 'node:timers';
import { Deadline, SHUTDOWN_MS } from '../async/deadline.js';
import { DeferredEmitter } from '../async/deferred-emitter.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { PerformanceOptionsError } from '../validation/options-error.js';
import type { AlertRule, OpenAlert, PerformanceAlert } from './alert.js';
import { silenceFaults } from './alert-checks.js';
import { AlertEvaluator } from './alert-evaluator.js';
import type { ResolvedAlertOptions, SilenceOptions } from './alert-options.js';
import { alertRules } from './alert-rules.js';
import type { AlertSharing } from './alert-sharing.js';
import { type AlertSources, TickSources } from './alert-sources.js';
import type { BurnRate } from './burn-rate.js';
import type { AlertLog } from './log-notifier.js';
import { NotificationDelivery } from './notification-delivery.js';
import { NotificationPolicy } from './notification-policy.js';
import type { AlertingService, Notifier, NotifierStatus } from './notifier.js';
import { notifiersOf } from './notifiers.js';
import { Silences } from './silences.js';
import { SloCounters } from './slo-counters.js';

/** How long rules are evaluated in one turn of the event loop. */
const SLICE_MS = 2;
/** The longest interval at which counts of objectives get their time. */
const TURN_MS = 10_000;

/** The sources from outside: all but the burn rates, which are counted here. */
export type MonitorSources = Omit<AlertSources, 'burnRates'>;

/** Alerting from figures to notifications: rules, the states of alerts, and notification channels. */
export class Alerting {
  readonly slos: SloCounters;
  /** The log of the log notifier and of warnings. Without it, nothing is written. */
  log: AlertLog | undefined;

  private readonly sources: TickSources;
  private readonly evaluator: AlertEvaluator;
  private readonly silences: Silences;
  private readonly policy: NotificationPolicy;
  private readonly notifiers: readonly Notifier[];
  private readonly delivery: NotificationDelivery;
  private readonly notifiedEvents: DeferredEmitter<PerformanceAlert>;
  private changes: PerformanceAlert[] = [];
  private timers: NodeJS.Timeout[] = [];
  private slices: Generator<undefined> | undefined;

  /**
   * @param onAlert receives each change of an alert, silenced or not
   * @param onError receives errors of rules, notifiers and listeners
   */
  constructor(
    private readonly options: ResolvedAlertOptions,
    sources: MonitorSources,
    service: AlertingService,
    private readonly onAlert: (alert: PerformanceAlert) => void,
    private readonly onError: (error: unknown, listenersOf?: string) => void,
  ) {
    this.slos = new SloCounters(options.enabled ? options.slos : []);
    const burnRates = (now: number): BurnRate[] => this.slos.burnRates(now);
    this.sources = new TickSources(Object.assign(Object.create(sources) as MonitorSources, { burnRates }));
    const rules: readonly AlertRule[] = alertRules(options, this.sources);
    this.evaluator = new AlertEvaluator(rules, (alert) => this.changed(alert), onError);
    this.silences = new Silences(options.silences);
    this.policy = new NotificationPolicy(
      { maxPerHour: options.maxNotificationsPerHour, repeatIntervalMs: this.repeatIntervalMs },
      this.silences,
      (notification) => this.delivery.deliver(notification),
    );
    this.notifiers = options.enabled
      ? notifiersOf(
          options.notifiers,
          service,
          // The log is the application's and may throw.
          (level, message) => this.guarded(() => this.log?.(level, message)),
          options.intervalMs,
        )
      : [];
    this.notifiedEvents = new DeferredEmitter(onError, 'alerts');
    this.delivery = new NotificationDelivery(
      this.notifiers,
      (action) => this.guarded(action),
      this.notifiedEvents,
    );
  }

  /** From now on, one of several instances sends the notifications of an alert that they share. */
  share(sharing: AlertSharing): void {
    this.delivery.share(sharing, this.repeatIntervalMs);
  }

  private get repeatIntervalMs(): number | undefined {
    const { repeatIntervalSeconds } = this.options;
    return repeatIntervalSeconds === undefined ? undefined : repeatIntervalSeconds * 1000;
  }

  /** Starts evaluating, on a timer that does not keep the process alive. */
  start(): void {
    if (!this.options.enabled || this.timers.length > 0) return;
    this.timers.push(setInterval(() => this.begin(Date.now()), this.options.intervalMs));
    // Frequent evaluations turn the counts as well.
    if (this.slos.size > 0 && this.options.intervalMs > TURN_MS) {
      this.timers.push(setInterval(() => this.guarded(() => this.slos.turn(Date.now())), TURN_MS));
    }
    for (const timer of this.timers) timer.unref();
  }

  /** Evaluates every rule without pauses. */
  evaluate(now: number): void {
    // Aborts an evaluation that the timer began.
    this.slices = undefined;
    this.refresh(now);
    this.evaluator.evaluate(now);
    this.settle(now);
  }

  /** The firing alerts. */
  active(): { rule: string; subject?: string; firedAt: number }[] {
    return this.evaluator.active();
  }

  /** The pending and firing alerts. */
  openAlerts(): OpenAlert[] {
    return this.evaluator.openAlerts();
  }

  /** Every rule, and whether any of its alerts fires; none if alerts are disabled. */
  rules(): Iterable<{ rule: string; severity: string; firing: boolean }> {
    return this.options.enabled ? this.evaluator.rules() : [];
  }

  /** The state of each objective. */
  burnRates(now: number): BurnRate[] {
    return this.slos.burnRates(now);
  }

  /** Saves and restores the counts of objectives across restarts. */
  readonly savedSlos = {
    saved: (): unknown => {
      if (this.slos.size === 0) return undefined;
      this.slos.turn(Date.now());
      return this.slos.toJSON();
    },
    restore: (saved: unknown): void => void this.slos.restore(saved, Date.now()),
  };

  /**
   * Adds a silence, as in the options. Alerts that still fire when it ends are notified then.
   * @throws PerformanceOptionsError for invalid options
   * @returns a function that ends it
   */
  silence(options: SilenceOptions, now = Date.now()): () => void {
    const faults = silenceFaults(options);
    if (faults.length > 0) throw new PerformanceOptionsError(faults);
    return this.silences.add(options, now);
  }

  /** Calls `listener` with each notified alert: not silenced, and within the limit. @returns a function that stops it */
  onNotified(listener: (alert: PerformanceAlert) => void): () => void {
    return this.notifiedEvents.on(listener);
  }

  /** The delivery of each notifier, and the alerts and events dropped by limits. */
  get status(): {
    droppedEpisodes: number;
    droppedEvents: number;
    notifiers: Record<string, NotifierStatus>;
  } {
    const notifiers = Object.fromEntries(
      this.notifiers.flatMap(({ name, status }) => (status === undefined ? [] : [[name, status]])),
    ) as Record<string, NotifierStatus>;
    return { droppedEpisodes: this.evaluator.dropped, droppedEvents: this.notifiedEvents.dropped, notifiers };
  }

  /**
   * Stops evaluating. Resolves when all notifications are delivered, at the deadline at the latest. Never rejects.
   */
  async shutdown(deadline = new Deadline(SHUTDOWN_MS)): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
    this.slices = undefined;
    // The channels need the rest of the time.
    await this.delivery.settle(new Deadline(deadline.remainingMs / 3));
    this.notifiedEvents.close();
    await Promise.all(this.notifiers.map((notifier) => notifier.flush?.(deadline.remainingMs)));
  }

  private begin(now: number): void {
    // The previous evaluation is not over, since the process is busy.
    if (this.slices !== undefined) return;
    this.guarded(() => {
      this.refresh(now);
      this.slices = this.evaluator.slices(now);
      this.proceed(this.slices, now);
    });
  }

  private proceed(slices: Generator<undefined>, now: number): void {
    if (slices !== this.slices) return;
    const until = performance.now() + SLICE_MS;
    let done = false;
    while (!done && performance.now() < until) done = slices.next().done === true;
    const next = done ? () => this.finish(slices, now) : () => this.proceed(slices, now);
    setImmediate(() => this.guarded(next)).unref();
  }

  private finish(slices: Generator<undefined>, now: number): void {
    if (slices !== this.slices) return;
    this.slices = undefined;
    this.settle(now);
  }

  private refresh(now: number): void {
    this.sources.refresh();
    this.slos.turn(now);
  }

  private settle(now: number): void {
    const { changes } = this;
    this.changes = [];
    this.policy.settle(changes, now, () => this.evaluator.stale());
    for (const notifier of this.notifiers) this.guarded(() => notifier.tick?.(now));
    this.sources.refresh();
  }

  private changed(alert: PerformanceAlert): void {
    this.changes.push(alert);
    this.onAlert(alert);
  }

  private guarded(action: () => void): void {
    try {
      meter.measure(COST.timers, action);
    } catch (error) {
      this.onError(error);
    }
  }
}
