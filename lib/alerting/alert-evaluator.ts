import type { AlertRule, PerformanceAlert, RuleReading } from './alert.js';

interface Episode {
  id: string;
  firedAt: number;
  subject: string | undefined;
}

/** Holds each rule against its readings and tells of the changes of its state. Knows no clock. */
export class AlertEvaluator {
  private readonly firing = new Map<string, Episode>();
  private sequence = 0;

  constructor(
    private readonly rules: readonly AlertRule[],
    private readonly notify: (alert: PerformanceAlert) => void,
  ) {}

  /** @param now milliseconds since 1970 */
  evaluate(now: number): void {
    for (const rule of this.rules) {
      const seen = new Set<string>();
      for (const reading of rule.read()) {
        const key = keyOf(rule, reading.subject);
        seen.add(key);
        this.judge(rule, key, reading, now);
      }
      for (const [key, episode] of this.firing) {
        if (seen.has(key) || !key.startsWith(`${rule.name}\n`)) continue;
        this.resolve(rule, key, episode, { subject: episode.subject, value: 0 }, now);
      }
    }
  }

  /** The alerts that fire at present, as rule and subject. */
  active(): { rule: string; subject?: string; firedAt: number }[] {
    return [...this.firing].map(([key, { subject, firedAt }]) => ({
      rule: key.slice(0, key.indexOf('\n')),
      subject,
      firedAt,
    }));
  }

  private judge(rule: AlertRule, key: string, reading: RuleReading, now: number): void {
    const episode = this.firing.get(key);
    if (episode === undefined) {
      const enough = reading.count === undefined || reading.count >= (rule.minCount ?? 0);
      if (!enough || !(reading.value > rule.threshold)) return;
      const begun: Episode = {
        id: `${now.toString(36)}-${++this.sequence}`,
        firedAt: now,
        subject: reading.subject,
      };
      this.firing.set(key, begun);
      this.notify(alert(rule, 'firing', begun, reading, now));
    } else if (reading.value <= rule.resolveBelow) {
      this.resolve(rule, key, episode, reading, now);
    }
  }

  private resolve(rule: AlertRule, key: string, episode: Episode, reading: RuleReading, now: number): void {
    this.firing.delete(key);
    this.notify(alert(rule, 'resolved', episode, reading, now));
  }
}

function keyOf(rule: AlertRule, subject: string | undefined): string {
  return `${rule.name}\n${subject ?? ''}`;
}

function alert(
  rule: AlertRule,
  state: PerformanceAlert['state'],
  episode: Episode,
  reading: RuleReading,
  now: number,
): PerformanceAlert {
  return {
    id: episode.id,
    state,
    rule: rule.name,
    ...(reading.subject === undefined ? {} : { subject: reading.subject }),
    value: reading.value,
    threshold: rule.threshold,
    unit: rule.unit,
    firedAt: episode.firedAt,
    timestamp: now,
    summary: rule.describe(reading),
  };
}
