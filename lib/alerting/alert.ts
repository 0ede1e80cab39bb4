import type { Severity } from '../explain/finding.js';

/** What an alert tells of: that a rule's condition began to hold, or that it no longer does. */
export interface PerformanceAlert {
  /** The same for the firing and the resolved event of one episode. */
  id: string;
  state: 'firing' | 'resolved';
  /** The rule's name. */
  rule: string;
  severity: Severity;
  /** What it is about within the rule, such as an operation or its type; absent where there is only one. */
  subject?: string;
  /** The figure that the rule looks at, in the rule's unit, and the limit it was held against. */
  value: number;
  threshold: number;
  unit: AlertUnit;
  /** When it began to fire, and when this event was made, in milliseconds since 1970. */
  firedAt: number;
  timestamp: number;
  /** Those of the rule, and what tells subjects apart: `operation`, `type`, `metric`. */
  labels: Readonly<Record<string, string>>;
  /** It fires again and again within an hour, and so is held until it was quiet for ten minutes. */
  flapping?: true;
  /** One sentence for a person. */
  summary: string;
}

/** `ratio` is a number without a unit: a share of 0 to 1, or how many times too fast an error budget is spent. */
export type AlertUnit = '%' | 'ms' | 'ratio' | 'MB/h';

/** An episode that has not ended. `pending`: its condition holds, but not for long enough. */
export interface OpenAlert {
  readonly rule: string;
  readonly subject?: string;
  readonly state: 'pending' | 'firing';
  /** When its condition began to hold, and when it began to fire; milliseconds since 1970. */
  readonly since: number;
  readonly firedAt?: number;
}

/** One figure that a rule is evaluated on. */
export interface RuleReading {
  subject?: string;
  /** Tells readings of one subject apart. Default: the subject. */
  key?: string;
  value: number;
  /** The number of operations behind the value. Below the rule's `minCount` nothing begins to fire. */
  count?: number;
  /** It may be chance: nothing begins to fire for it, and nothing is resolved. */
  isWithinNoise?: boolean;
  /** The alert of its whole type speaks for it: it does not fire meanwhile, and what is pending or firing stays so. */
  isCoveredByType?: boolean;
  /** Where they are others than the rule's. */
  limits?: { readonly threshold: number; readonly resolveBelow: number };
  labels?: Readonly<Record<string, string>>;
  /** What `describe` cannot make of the figures. */
  explanation?: string;
}

/**
 * A rule as data: what it reads, and the limits between which it keeps its state. It fires above `threshold` and
 * resolves at `resolveBelow` or less, so that a value that hovers around the threshold does not flap.
 */
export interface AlertRule {
  readonly name: string;
  readonly severity: Severity;
  /** In the place of `severity`, where it depends on the reading. */
  readonly severityOf?: (reading: RuleReading) => Severity;
  readonly unit: AlertUnit;
  readonly threshold: number;
  readonly resolveBelow: number;
  readonly minCount?: number;
  /** How long the condition must hold before it fires, and be gone before it is resolved. Milliseconds. */
  readonly forMs: number;
  readonly keepFiringMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * A subject that is absent from the readings has nothing to complain of.
   * @param now milliseconds since 1970
   */
  read(now: number): Iterable<RuleReading>;
  describe(reading: RuleReading): string;
}
