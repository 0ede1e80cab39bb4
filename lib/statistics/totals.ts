/**
 * Totals of the operations within a period. `min` is Infinity and `max` 0 while none with a duration is among them.
 * Durations in milliseconds.
 */
export class Totals {
  count = 0;
  slow = 0;
  errors = 0;
  /** Errors among them that do not mean that the service is broken. */
  expected = 0;
  /** Operations among them whose duration means nothing, such as streams: it is in no other figure. */
  untimed = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = 0;

  add(other: Totals): void {
    this.count += other.count;
    this.slow += other.slow;
    this.errors += other.errors;
    this.expected += other.expected;
    this.untimed += other.untimed;
    this.sum += other.sum;
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
  }

  clear(): void {
    this.count = this.slow = this.errors = this.expected = this.untimed = this.sum = this.max = 0;
    this.min = Number.POSITIVE_INFINITY;
  }
}
