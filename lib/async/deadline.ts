import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';

/**
 * How long a shutdown may take, whatever does not answer: collectors, notification channels, Pyroscope, the baseline store,
 * the disk. Everything that waits at a shutdown shares one {@link Deadline} of this length.
 */
export const SHUTDOWN_MS = 2250;

/** A moment by which work has to be over. */
export class Deadline {
  private readonly at: number;

  /** @param ms from now, in milliseconds */
  constructor(ms: number) {
    this.at = performance.now() + ms;
  }

  get remainingMs(): number {
    return Math.max(0, this.at - performance.now());
  }

  /**
   * Waits until a promise settles, but not beyond the deadline. Never rejects.
   *
   * The timer keeps the process alive until then. Otherwise, with a promise that nothing will ever settle, the process would
   * end in the middle of its shutdown: before the code after `await app.close()`, and before the application's own hooks.
   * @returns whether it settled in time
   */
  async settle(promise: Promise<unknown>): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, this.remainingMs, false);
    });
    const settled = promise.then(
      () => true,
      () => true,
    );
    const inTime = await Promise.race([settled, late]);
    clearTimeout(timer);
    return inTime;
  }
}
