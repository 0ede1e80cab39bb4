import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, setImmediate, setInterval } from 'node:timers';
import { DeferredEmitter } from '../async/deferred-emitter.js';
import { PerformanceOptionsError } from '../validation/options-error.js';
import type { AlertRule, OpenAlert, PerformanceAlert } from './alert.js';
import { silenceFaults } from './alert-checks.js';
import { AlertEvaluator } from './alert-evaluator.js';
import type { ResolvedAlertOptions, SilenceOptions } from './alert-options.js';
import { alertRules } from './alert-rules.js';
import { type AlertSources, TickSources } from './alert-sources.js';
import type { BurnRate } from './burn-rate.js';
import type { AlertLog } from './log-notifier.js';
import { NotificationPolicy } from './notification-policy.js';
import type { AlertingService, AlertNotification, Notifier, NotifierStatus } from './notifier.js';
import { notifiersOf } from './notifiers.js';
import { Silences } from './silences.js';
import { SloCounters } from './slo-counters.js';

/** Rules are evaluated for so long in one turn of the event loop. A single rule is not divided. */
const SLICE_MS = 2;
/** What objectives counted gets its time at least that often. */
const TURN_MS = 10_000;
const FLUSH_MS = 3000;

/** What alerts are made of: everything but the burn rates, which are counted here. */
export type MonitorSources = Omit<AlertSources, 'burnRates'>;

/** Rules, their state, and who is told of it: from figures to notifications. Knows nothing of Nest. */
export class Alerting {
  readonly slos: SloCounters;
  /** Where the log notifier writes. Set by whoever has a log; without it nothing is written. */
  log: AlertLog | undefined;

  private readonly sources: TickSources;
  private readonly evaluator: AlertEvaluator;
  private readonly silences: Silences;
  private readonly policy: NotificationPolicy;
  private readonly notifiers: readonly Notifier[];
  private readonly toldEvents: DeferredEmitter<PerformanceAlert>;
  private changes: PerformanceAlert[] = [];
  private timers: NodeJS.Timeout[] = [];
  private slices: Generator<undefined> | undefined;

  /**
   * @param onAlert is told of each change of a rule's state, silenced or not
   * @param onError is told of faults of ours and of listeners
   */
  constructor(
    private readonly options: ResolvedAlertOptions,
    sources: MonitorSources,
    service: AlertingService,
    private readonly onAlert: (alert: PerformanceAlert) => void,
    private readonly onError: (error: unknown) => void,
  ) {
    this.slos = new SloCounters(options.enabled ? options.slos : []);
    const burnRates = (now: number): BurnRate[] => this.slos.burnRates(now);
    this.sources = new TickSources(Object.assign(Object.create(sources) as MonitorSources, { burnRates }));
    const rules: readonly AlertRule[] = alertRules(options, this.sources);
    this.evaluator = new AlertEvaluator(rules, (alert) => this.changed(alert), onError);
    this.silences = new Silences(options.silences);
    this.policy = new NotificationPolicy(
      {
        maxPerHour: options.maxNotificationsPerHour,
        repeatIntervalMs:
          options.repeatIntervalSeconds === undefined ? undefined : options.repeatIntervalSeconds * 1000,
      },
      this.silences,
      (notification) => this.tell(notification),
    );
    this.notifiers = options.enabled
      ? notifiersOf(
          options.notifiers,
          service,
          // A log may be anybody's, and who warns may be in the middle of sending.
          (level, message) => this.guarded(() => this.log?.(level, message)),
          options.intervalMs,
        )
      : [];
    this.toldEvents = new DeferredEmitter(onError);
  }

  /** Begins to evaluate on a timer that does not keep the process alive. */
  start(): void {
    if (!this.options.enabled || this.timers.length > 0) return;
    this.timers.push(setInterval(() => this.begin(Date.now()), this.options.intervalMs));
    // Evaluating gives counts their time, too.
    if (this.slos.size > 0 && this.options.intervalMs > TURN_MS) {
      this.timers.push(setInterval(() => this.guarded(() => this.slos.turn(Date.now())), TURN_MS));
    }
    for (const timer of this.timers) timer.unref();
  }

  /** Holds every rule against the present figures at once. */
  evaluate(now: number): void {
    // What the timer began is done anew.
    this.slices = undefined;
    this.refresh(now);
    this.evaluator.evaluate(now);
    this.settle(now);
  }

  /** The alerts that fire at present. */
  active(): { rule: string; subject?: string; firedAt: number }[] {
    return this.evaluator.active();
  }

  /** Every alert that is pending or firing. */
  openAlerts(): OpenAlert[] {
    return this.evaluator.openAlerts();
  }

  /** Every rule, and whether it fires for anything; none where alerts are off. */
  rules(): Iterable<{ rule: string; severity: string; firing: boolean }> {
    return this.options.enabled ? this.evaluator.rules() : [];
  }

  /** How each objective stands. */
  burnRates(now: number): BurnRate[] {
    return this.slos.burnRates(now);
  }

  /** What objectives have counted, to be kept across restarts. */
  readonly savedSlos = {
    saved: (): unknown => {
      if (this.slos.size === 0) return undefined;
      this.slos.turn(Date.now());
      return this.slos.toJSON();
    },
    restore: (saved: unknown): void => void this.slos.restore(saved, Date.now()),
  };

  /**
   * Adds a silence, as one in the options. What fires meanwhile is told when it is over, if it still fires.
   * @throws PerformanceOptionsError for what is not allowed
   * @returns what ends it
   */
  silence(options: SilenceOptions, now = Date.now()): () => void {
    const faults = silenceFaults(options);
    if (faults.length > 0) throw new PerformanceOptionsError(faults);
    return this.silences.add(options, now);
  }

  /** Calls `listener` with each alert that is told: not silenced, and within the limit. Returns what stops it. */
  onNotified(listener: (alert: PerformanceAlert) => void): () => void {
    return this.toldEvents.on(listener);
  }

  /** How telling goes, by notifier, and alerts and events that there were too many of. */
  get status(): {
    droppedEpisodes: number;
    droppedEvents: number;
    notifiers: Record<string, NotifierStatus>;
  } {
    const notifiers = Object.fromEntries(
      this.notifiers.flatMap(({ name, status }) => (status === undefined ? [] : [[name, status]])),
    ) as Record<string, NotifierStatus>;
    return { droppedEpisodes: this.evaluator.dropped, droppedEvents: this.toldEvents.dropped, notifiers };
  }

  /**
   * Evaluates nothing more.
   * @returns what resolves when all that was told has got through, or 3 seconds later. Never rejects.
   */
  async shutdown(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
    this.slices = undefined;
    this.toldEvents.close();
    await Promise.all(this.notifiers.map((notifier) => notifier.flush?.(FLUSH_MS)));
  }

  private begin(now: number): void {
    // The one before is not over: the process has more to do than this.
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
    this.policy.settle(changes, now);
    for (const notifier of this.notifiers) this.guarded(() => notifier.tick?.(now));
    this.sources.refresh();
  }

  private changed(alert: PerformanceAlert): void {
    this.changes.push(alert);
    this.onAlert(alert);
  }

  private tell(notification: AlertNotification): void {
    for (const notifier of this.notifiers) this.guarded(() => notifier.notify(notification));
    if (notification.repeated) return;
    for (const alert of notification.alerts) this.toldEvents.emit(alert);
  }

  private guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.onError(error);
    }
  }
}
