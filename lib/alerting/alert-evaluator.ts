import type { Severity } from '../explain/finding.js';
import type { AlertRule, OpenAlert, PerformanceAlert, RuleReading } from './alert.js';
import { Flapping } from './flapping.js';

interface Episode {
  readonly id: string;
  readonly subject: string | undefined;
  /** When its condition began to hold, in milliseconds since 1970. */
  since: number;
  /** Undefined while it is pending. */
  firedAt: number | undefined;
  /** Since when the condition to resolve has held. */
  quietSince: number | undefined;
  flapping: boolean;
  last: RuleReading;
  seenIn: number;
}

interface RuleState {
  readonly rule: AlertRule;
  readonly episodes: Map<string, Episode>;
}

/** The number of readings per slice. */
const READINGS_PER_SLICE = 50;

/** Evaluations may follow each other closely. Operations of so many milliseconds ago are those of now. */
const MIN_QUIET_MS = 5000;

/** The number of pending and firing episodes of all rules. Further ones are only counted. */
export const MAX_EPISODES = 1000;

/**
 * Evaluates each rule and emits the changes of its alerts: pending until the condition has held for `forMs`, then firing,
 * and resolved once the condition has been gone for `keepFiringMs`. Has no clock.
 */
export class AlertEvaluator {
  private readonly states: readonly RuleState[];
  private readonly flapping = new Flapping(MAX_EPISODES);
  private open = 0;
  private sequence = 0;
  private tick = 0;
  /** When rules were evaluated before, and how long ago that was, in milliseconds. */
  private evaluatedAt: number | undefined;
  private sinceBefore = Number.POSITIVE_INFINITY;
  /** The number of episodes beyond {@link MAX_EPISODES}. */
  dropped = 0;

  /** @param onError receives the errors of rules, which keep their state */
  constructor(
    rules: readonly AlertRule[],
    private readonly notify: (alert: PerformanceAlert) => void,
    private readonly onError: (error: unknown) => void = () => {},
  ) {
    this.states = rules.map((rule) => ({ rule, episodes: new Map() }));
  }

  /** @param now milliseconds since 1970 */
  evaluate(now: number): void {
    for (const _ of this.slices(now));
  }

  /** As {@link evaluate}, with a yield after each rule and each 50 readings. */
  *slices(now: number): Generator<undefined> {
    this.tick++;
    this.sinceBefore =
      this.evaluatedAt === undefined
        ? Number.POSITIVE_INFINITY
        : Math.max(MIN_QUIET_MS, now - this.evaluatedAt);
    this.evaluatedAt = now;
    for (const state of this.states) {
      try {
        yield* this.evaluateRule(state, now);
      } catch (error) {
        this.onError(error);
      }
      yield undefined;
    }
  }

  /** The firing alerts. */
  active(): { rule: string; subject?: string; firedAt: number }[] {
    return this.openAlerts().flatMap(({ rule, subject, firedAt }) =>
      firedAt === undefined ? [] : [{ rule, subject, firedAt }],
    );
  }

  /** The ids of firing alerts without operations since the previous evaluation. */
  stale(): Set<string> {
    return new Set(
      this.states.flatMap(({ episodes }) =>
        [...episodes.values()].flatMap(({ id, firedAt, last }) =>
          firedAt !== undefined && this.isStale(last) ? [id] : [],
        ),
      ),
    );
  }

  /** The pending and firing alerts. */
  openAlerts(): OpenAlert[] {
    return this.states.flatMap(({ rule, episodes }) =>
      [...episodes.values()].map(({ subject, since, firedAt }) => ({
        rule: rule.name,
        subject,
        state: firedAt === undefined ? ('pending' as const) : ('firing' as const),
        since,
        ...(firedAt === undefined ? {} : { firedAt }),
      })),
    );
  }

  /** Every rule, and whether any of its alerts fires. */
  *rules(): Iterable<{ rule: string; severity: Severity; firing: boolean }> {
    for (const { rule, episodes } of this.states) {
      let firing = false;
      for (const { firedAt } of episodes.values()) firing ||= firedAt !== undefined;
      yield { rule: rule.name, severity: rule.severity, firing };
    }
  }

  private *evaluateRule(state: RuleState, now: number): Generator<undefined> {
    const { rule, episodes } = state;
    const tick = this.tick;
    let read = 0;
    for (const reading of rule.read(now)) {
      if (++read % READINGS_PER_SLICE === 0) yield undefined;
      const key = reading.key ?? reading.subject ?? '';
      const episode = episodes.get(key) ?? this.begin(state, key, reading, now);
      if (episode === undefined) continue;
      episode.seenIn = tick;
      this.judge(state, key, episode, reading, now);
    }
    for (const [key, episode] of episodes) {
      if (++read % READINGS_PER_SLICE === 0) yield undefined;
      if (episode.seenIn !== tick) this.quiet(state, key, episode, undefined, now);
    }
  }

  private begin({ rule, episodes }: RuleState, key: string, reading: RuleReading, now: number) {
    if (!holds(rule, reading) || this.isStale(reading)) return undefined;
    if (this.open >= MAX_EPISODES) {
      this.dropped++;
      return undefined;
    }
    const episode: Episode = {
      id: `${now.toString(36)}-${++this.sequence}`,
      subject: reading.subject,
      since: now,
      firedAt: undefined,
      quietSince: undefined,
      flapping: false,
      last: reading,
      seenIn: this.tick,
    };
    episodes.set(key, episode);
    this.open++;
    return episode;
  }

  private judge(state: RuleState, key: string, episode: Episode, reading: RuleReading, now: number): void {
    const { rule } = state;
    episode.last = reading;
    // If the clock is set back, the alert must not wait for that time as well.
    episode.since = Math.min(episode.since, now);
    if (reading.isCoveredByType === true) {
      episode.quietSince = undefined;
    } else if (episode.firedAt === undefined) {
      if (!holds(rule, reading)) this.end(state, key);
      else if (now - episode.since >= rule.forMs && !this.isStale(reading))
        this.fire(rule, key, episode, now);
    } else if (reading.isWithinNoise !== true && reading.value <= (reading.limits ?? rule).resolveBelow) {
      this.quiet(state, key, episode, reading, now);
    } else {
      episode.quietSince = undefined;
    }
  }

  /** Whether no operation has ended since the previous evaluation: what changed is the window alone. */
  private isStale({ quietMs }: RuleReading): boolean {
    return quietMs !== undefined && quietMs() >= this.sinceBefore;
  }

  private fire(rule: AlertRule, key: string, episode: Episode, now: number): void {
    episode.firedAt = now;
    episode.flapping = this.flapping.fired(`${rule.name}\n${key}`, now);
    this.notify(alertOf(rule, 'firing', episode, episode.last, now));
  }

  /** @param reading undefined if the subject has none any more */
  private quiet(
    state: RuleState,
    key: string,
    episode: Episode,
    reading: RuleReading | undefined,
    now: number,
  ): void {
    if (episode.firedAt === undefined) {
      this.end(state, key);
      return;
    }
    episode.quietSince = Math.min(episode.quietSince ?? now, now);
    const holdMs = episode.flapping
      ? Math.max(state.rule.keepFiringMs, Flapping.HOLD_MS)
      : state.rule.keepFiringMs;
    if (now - episode.quietSince < holdMs) return;
    this.end(state, key);
    this.notify(alertOf(state.rule, 'resolved', episode, reading, now));
  }

  private end({ episodes }: RuleState, key: string): void {
    if (episodes.delete(key)) this.open--;
  }
}

function holds(rule: AlertRule, reading: RuleReading): boolean {
  if (reading.isCoveredByType === true) return false;
  const enough = reading.count === undefined || reading.count >= (rule.minCount ?? 0);
  return enough && reading.isWithinNoise !== true && reading.value > (reading.limits ?? rule).threshold;
}

function alertOf(
  rule: AlertRule,
  state: PerformanceAlert['state'],
  episode: Episode,
  reading: RuleReading | undefined,
  now: number,
): PerformanceAlert {
  const { id, subject, last, flapping } = episode;
  return {
    id,
    state,
    rule: rule.name,
    severity: rule.severityOf?.(last) ?? rule.severity,
    ...(subject === undefined ? {} : { subject }),
    value: reading?.value ?? 0,
    threshold: (last.limits ?? rule).threshold,
    unit: rule.unit,
    firedAt: episode.firedAt ?? now,
    timestamp: now,
    labels: { ...rule.labels, ...last.labels },
    ...(flapping ? { flapping } : {}),
    summary:
      reading === undefined
        ? `${rule.name}${subject === undefined ? '' : ` (${subject})`} no longer holds`
        : rule.describe(reading),
  };
}
