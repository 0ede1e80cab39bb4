/** What an alert tells of: that a rule's condition began to hold, or that it no longer does. */
export interface PerformanceAlert {
  /** The same for the firing and the resolved event of one episode. */
  id: string;
  state: 'firing' | 'resolved';
  /** The rule's name. */
  rule: string;
  /** What it is about within the rule, such as an operation type; absent where there is only one. */
  subject?: string;
  /** The figure that the rule looks at, in the rule's unit, and the limit it was held against. */
  value: number;
  threshold: number;
  unit: '%' | 'ms' | 'ratio';
  /** When it began to fire, and when this event was made, in milliseconds since 1970. */
  firedAt: number;
  timestamp: number;
  /** One sentence for a person. */
  summary: string;
}

/** One figure that a rule is evaluated on. */
export interface RuleReading {
  subject?: string;
  value: number;
  /** The number of operations behind the value. Below the rule's `minCount` nothing begins to fire. */
  count?: number;
}

/**
 * A rule as data: what it reads, and the limits between which it keeps its state. It fires above `threshold` and
 * resolves at `resolveBelow` or less, so that a value that hovers around the threshold does not flap.
 */
export interface AlertRule {
  readonly name: string;
  readonly unit: PerformanceAlert['unit'];
  readonly threshold: number;
  readonly resolveBelow: number;
  readonly minCount?: number;
  /** A subject that is absent from the readings has nothing to complain of. */
  read(): RuleReading[];
  describe(reading: RuleReading): string;
}
