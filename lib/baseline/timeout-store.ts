// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { FaultLog } from '../async/fault-log.js';
import type { BaselineSnapshot, SnapshotToSave } from './baseline-snapshot.js';
import type { BaselineStore } from './baseline-store.js';

/** A request without an answer by then has failed. */
const TIMEOUT_MS = 120_000;
/** The number of requests that may be unanswered: each may hold some ten megabytes. */
const MAX_UNANSWERED = 3;

/** A store that fails if the underlying one does not answer in time, with a bounded number of pending requests. */
export class TimeoutStore implements BaselineStore {
  private readonly faults: FaultLog;
  private unanswered = 0;

  /** @param timeoutMs the time limit of a request, in milliseconds */
  constructor(
    private readonly store: BaselineStore,
    warn: (message: string) => void,
    private readonly timeoutMs = TIMEOUT_MS,
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
    if (this.unanswered >= MAX_UNANSWERED) return undefined;
    this.unanswered++;
    const answer = ask().finally(() => this.unanswered--);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        this.faults.fail(
          'late',
          `The baseline store did not answer within ${this.timeoutMs / 1000} s. The request is retried later; data in memory is kept`,
        );
        resolve(undefined);
      }, this.timeoutMs).unref();
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
