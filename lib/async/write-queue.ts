/** Runs writes one at a time, in their order. Those who add one look whether it {@link isFull} first. */
export class WriteQueue {
  /** The most recent write, which waits for all previous ones. */
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /** @param maxWaiting writes beside the one that runs */
  constructor(private readonly maxWaiting: number) {}

  get isFull(): boolean {
    return this.waiting > this.maxWaiting;
  }

  /** Runs a write after all that were added before it, whether these fail or not. */
  add<T>(write: () => Promise<T>): Promise<T> {
    this.waiting++;
    const written = this.last.then(write).finally(() => {
      this.waiting--;
    });
    this.last = written.catch(() => {});
    return written;
  }

  /** Resolves when all that were added have ended. Never rejects. */
  async settled(): Promise<void> {
    await this.last;
  }
}
