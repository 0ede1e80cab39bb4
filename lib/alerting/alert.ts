import type { Severity } from '../explain/finding.js';

/** An event of an alert: it fires, or it is resolved. */
export interface PerformanceAlert {
  /** The same for the firing and the resolved event of one alert. */
  id: string;
  state: 'firing' | 'resolved';
  /** The rule's name. */
  rule: string;
  severity: Severity;
  /** The subject within the rule, such as an operation or its type; absent if the rule has only one. */
  subject?: string;
  /** The value that the rule evaluates and its threshold, in `unit`. */
  value: number;
  threshold: number;
  unit: AlertUnit;
  /** When it fired, and when this event occurred, in milliseconds since 1970. */
  firedAt: number;
  timestamp: number;
  /** The labels of the rule and those of the subject: `operation`, `type`, `metric`. */
  labels: Readonly<Record<string, string>>;
  /** It fired at least four times within an hour, and resolves only after ten quiet minutes. */
  flapping?: true;
  /** One sentence for a person. */
  summary: string;
}

/** `ratio` is a number without a unit: a share of 0 to 1, or a burn rate. */
export type AlertUnit = '%' | 'ms' | 'ratio' | 'MB/h';

/** An alert that is pending or firing. `pending`: its condition has not held for long enough yet. */
export interface OpenAlert {
  readonly rule: string;
  readonly subject?: string;
  readonly state: 'pending' | 'firing';
  /** When its condition began to hold, and when it began to fire; milliseconds since 1970. */
  readonly since: number;
  readonly firedAt?: number;
}

/** One value that a rule evaluates. */
export interface RuleReading {
  subject?: string;
  /** Distinguishes readings of one subject. Default: the subject. */
  key?: string;
  value: number;
  /** The number of operations behind the value. Below the rule's `minCount`, no alert begins. */
  count?: number;
  /** Whether it may be chance: then no alert begins, and none is resolved. */
  isWithinNoise?: boolean;
  /** Whether the alert of its type covers it: then its alert neither begins nor changes. */
  isCoveredByType?: boolean;
  /**
   * How long ago the latest operation behind the value ended, in milliseconds. Without an operation since the previous
   * evaluation, no alert begins or fires: the value changes because its window moves on.
   */
  quietMs?(): number;
  /** Limits that differ from the rule's. */
  limits?: { readonly threshold: number; readonly resolveBelow: number };
  labels?: Readonly<Record<string, string>>;
  /** Details for `describe`. */
  explanation?: string;
}

/**
 * A rule as data. It fires above `threshold` and resolves at `resolveBelow` or less, so that a value around the threshold
 * does not flap.
 */
export interface AlertRule {
  readonly name: string;
  readonly severity: Severity;
  /** Overrides `severity` if it depends on the reading. */
  readonly severityOf?: (reading: RuleReading) => Severity;
  readonly unit: AlertUnit;
  readonly threshold: number;
  readonly resolveBelow: number;
  readonly minCount?: number;
  /** How long the condition must hold before it fires, and be gone before it resolves, in milliseconds. */
  readonly forMs: number;
  readonly keepFiringMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * A subject without a reading resolves.
   * @param now milliseconds since 1970
   */
  read(now: number): Iterable<RuleReading>;
  describe(reading: RuleReading): string;
}
