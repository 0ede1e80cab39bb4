import { SEVERITIES, type Severity } from '../../explain/finding.js';
import type { TraceFinding } from './trace-finding.js';

/** Findings that are kept at the most. */
const CAPACITY = 10_000;

/** The findings that cost the most time, and how many there were of each severity. */
export class TopFindings {
  readonly counts: Record<Severity, number> = { info: 0, warning: 0, critical: 0 };
  private kept: TraceFinding[] = [];

  constructor(private readonly capacity = CAPACITY) {}

  add(finding: TraceFinding): void {
    this.counts[finding.severity]++;
    this.kept.push(finding);
    // Sorted only once in a while, so that each costs next to nothing.
    if (this.kept.length >= 2 * this.capacity) this.cut();
  }

  get total(): number {
    return this.counts.info + this.counts.warning + this.counts.critical;
  }

  get leftOut(): number {
    return Math.max(0, this.total - this.capacity);
  }

  /** The most time first. */
  list(): readonly TraceFinding[] {
    this.cut();
    return this.kept;
  }

  /** Whether there was one of this severity, or a worse one. */
  reaches(severity: Severity): boolean {
    return SEVERITIES.slice(SEVERITIES.indexOf(severity)).some((one) => this.counts[one] > 0);
  }

  private cut(): void {
    this.kept.sort((a, b) => b.totalMs - a.totalMs);
    if (this.kept.length > this.capacity) this.kept.length = this.capacity;
  }
}
