import { AnswerLimit } from '../async/answer-limit.js';
import { FaultLog } from '../async/fault-log.js';
import type { BaselineSnapshot, SnapshotToSave } from './baseline-snapshot.js';
import type { BaselineStore } from './baseline-store.js';

/** A request without an answer by then has failed. */
const TIMEOUT_MS = 120_000;
/** The number of requests that may be unanswered: each may hold some ten megabytes. */
const MAX_UNANSWERED = 3;

/** A store that fails if the underlying one does not answer in time, with a bounded number of pending requests. */
export class TimeoutStore implements BaselineStore {
  private readonly limit: AnswerLimit;

  /** @param timeoutMs the time limit of a request, in milliseconds */
  constructor(
    private readonly store: BaselineStore,
    warn: (message: string) => void,
    timeoutMs = TIMEOUT_MS,
  ) {
    const faults = new FaultLog(warn);
    const message = `The baseline store did not answer within ${timeoutMs / 1000} s. The request is retried later; data in memory is kept`;
    this.limit = new AnswerLimit(
      timeoutMs,
      MAX_UNANSWERED,
      () => faults.fail('late', message),
      () => faults.succeed('late'),
    );
  }

  load(service: string): Promise<BaselineSnapshot[] | undefined> {
    return this.limit.answerOf(() => this.store.load(service));
  }

  async save(snapshot: SnapshotToSave): Promise<boolean> {
    return (await this.limit.answerOf(() => this.store.save(snapshot))) === true;
  }

  remove(service: string, instance: string): Promise<void> {
    return this.limit.answerOf(() => this.store.remove(service, instance));
  }
}
