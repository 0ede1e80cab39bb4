// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import type { BaselineSnapshot, SnapshotToSave } from './baseline-snapshot.js';
import { type BaselineStore, FaultLog } from './baseline-store.js';

/** What is not answered by then is taken for failed. */
const ANSWER_MS = 120_000;
/** So many requests may wait for their answers: each may hold some ten megabytes. */
const MOST_UNANSWERED = 3;

/** A store that fails where another one does not answer: neither for ever, nor with ever more that waits in memory. */
export class TimeoutStore implements BaselineStore {
  private readonly faults: FaultLog;
  private unanswered = 0;

  /** @param answerMs how long an answer may take, in milliseconds */
  constructor(
    private readonly store: BaselineStore,
    warn: (message: string) => void,
    private readonly answerMs = ANSWER_MS,
  ) {
    this.faults = new FaultLog(warn);
  }

  load(service: string): Promise<BaselineSnapshot[] | undefined> {
    return this.answer(() => this.store.load(service));
  }

  async save(snapshot: SnapshotToSave): Promise<boolean> {
    return (await this.answer(() => this.store.save(snapshot))) === true;
  }

  remove(service: string, instance: string): Promise<void> {
    return this.answer(() => this.store.remove(service, instance));
  }

  private async answer<T>(ask: () => Promise<T>): Promise<T | undefined> {
    if (this.unanswered >= MOST_UNANSWERED) return undefined;
    this.unanswered++;
    const answer = ask().finally(() => this.unanswered--);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        this.faults.fail('late', `The store of the baseline has not answered for ${this.answerMs / 1000} s`);
        resolve(undefined);
      }, this.answerMs).unref();
    });
    try {
      return await Promise.race([answer.then((value) => this.answered(value)), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private answered<T>(value: T): T {
    this.faults.succeed('late');
    return value;
  }
}
