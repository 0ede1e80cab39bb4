import type { EndedOperation } from '../spans/ended-operation.js';
import { type FailedOperation, recordedException, thrownIn } from '../spans/failed-operation.js';
import type { LiveSpan } from '../spans/live-span.js';
import { spanIdsOf } from '../spans/span-ids.js';
import { isServedType } from '../statistics/failures.js';
import { chainOf } from './counted-errors.js';
import type { ErrorGroups } from './error-groups.js';

/** Failures within one request that are kept until it ends. */
const MAX_FAILURES = 20;

/** Failures whose logs are kept with their findings. */
const MAX_LOGS_PER_SECOND = 20;

/** Decides whose failure an error is: of a request, of what nobody waited for, or of a part of a request that was handled. */
export class RequestFailures {
  private logSecond = 0;
  private logsOfSecond = 0;

  constructor(private readonly errors: ErrorGroups) {}

  /** An operation failed, and its error is no expected one. */
  failed(
    { type, name, durationMs, span, http, thrown }: EndedOperation,
    live: LiveSpan | undefined,
    now: number,
  ): void {
    const source = http ?? live?.http;
    const failed: FailedOperation = {
      type,
      name,
      durationMs,
      statusCode: source?.statusCode,
      thrown: thrown ?? source?.thrown ?? thrownIn(live),
      recorded: recordedException(span),
      log: this.mayReadLog(now) ? live?.log : undefined,
      ...spanIdsOf(span),
    };
    const chain = live === undefined ? [] : chainOf(live);
    const root = live?.root;
    if (live === root) {
      const isServed = isServedType(type);
      this.errors.add(failed, { route: name, isHandled: false, isServed, chain }, now);
      return;
    }
    // A statement or call that failed is part of the failure of its request, or was handled.
    if (root === undefined || failed.thrown === undefined) return;
    if (root.ended || !root.isWaitedFor) {
      const route = root.name ?? name;
      this.errors.add(failed, { route, isHandled: true, isServed: false, chain }, now);
      return;
    }
    root.request.failures ??= [];
    const { failures } = root.request;
    if (failures.some((other) => other.thrown === failed.thrown)) return;
    if (failures.length < MAX_FAILURES) failures.push(failed);
    else this.errors.dropped++;
  }

  /** A request ended: its parts that failed are known. If it was answered with 4xx, their errors are those of the caller. */
  ended({ request, http, name: route = '(unnamed)' }: LiveSpan, now: number): void {
    const { failures = [] } = request;
    request.failures = undefined;
    const status = http?.statusCode ?? 0;
    if (status >= 400 && status < 500) return;
    for (const failed of failures)
      this.errors.add(failed, { route, isHandled: true, isServed: false, chain: [request] }, now);
  }

  /** Whether the log of a failure is read: while everything fails, those of a few failures suffice. */
  private mayReadLog(now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.logSecond) {
      this.logSecond = second;
      this.logsOfSecond = 0;
    }
    return this.logsOfSecond++ < MAX_LOGS_PER_SECOND;
  }
}
