/** Seconds and nanoseconds apart: a double holds no nanoseconds since 1970. */
interface Instant {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Turns nanoseconds since 1970 into milliseconds since the first instant that it sees, exact to a nanosecond. */
export class Clock {
  private base: number | undefined;

  /** Milliseconds, or nothing where the value is no instant. */
  read(value: unknown): number | undefined {
    const instant =
      typeof value === 'string' ? ofText(value) : typeof value === 'number' ? ofNumber(value) : undefined;
    if (instant === undefined) return undefined;
    this.base ??= instant.seconds;
    return (instant.seconds - this.base) * 1000 + instant.nanoseconds / 1e6;
  }
}

function ofText(text: string): Instant | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  return instant(Number(text.slice(0, -9)), Number(text.slice(-9)));
}

function ofNumber(value: number): Instant | undefined {
  return instant(Math.floor(value / 1e9), value % 1e9);
}

/** Zero stands for an instant that was not told. */
function instant(seconds: number, nanoseconds: number): Instant | undefined {
  return seconds >= 0 && seconds + nanoseconds > 0 ? { seconds, nanoseconds } : undefined;
}
