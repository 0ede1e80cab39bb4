const MAX_FAULTS = 100;

/** Warns once of each fault until it is over. */
export class FaultLog {
  private readonly current = new Set<string>();

  constructor(private readonly warn: (message: string) => void) {}

  /** @param key what failed. With 100 current faults, further ones are not reported. */
  fail(key: string, message: string): void {
    if (this.current.has(key) || this.current.size >= MAX_FAULTS) return;
    this.current.add(key);
    this.warn(message);
  }

  succeed(key: string): void {
    this.current.delete(key);
  }
}
