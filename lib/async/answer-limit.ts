// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';

/** Limits how long, and for how many at a time, answers of something that may never answer are waited for. */
export class AnswerLimit {
  private unanswered = 0;

  /**
   * @param timeoutMs how long an answer is waited for, in milliseconds
   * @param maxUnanswered the number of requests that may be without an answer
   * @param onLate called if there was no answer in time
   * @param onAnswer called with each answer, also a late one
   */
  constructor(
    private readonly timeoutMs: number,
    private readonly maxUnanswered: number,
    private readonly onLate: () => void,
    private readonly onAnswer: () => void = () => {},
  ) {}

  /** The answer; undefined if there was none in time, or too many others are waited for. Rejects as the request does. */
  async answerOf<T>(ask: () => Promise<T>): Promise<T | undefined> {
    if (this.unanswered >= this.maxUnanswered) return undefined;
    this.unanswered++;
    // Whatever it asks may throw, or have an answer that is no promise.
    const answer = (async () => ask())().finally(() => this.unanswered--);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        this.onLate();
        resolve(undefined);
      }, this.timeoutMs).unref();
    });
    const answered = answer.then((value) => {
      this.onAnswer();
      return value;
    });
    try {
      return await Promise.race([answered, late]);
    } finally {
      clearTimeout(timer);
      // A late failure has nobody who waits for it.
      answered.catch(() => {});
    }
  }
}
