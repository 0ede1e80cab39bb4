import { errorAt } from '../explain/error-groups.js';
import type { Finding, FoundError } from '../explain/finding.js';
import { shortened } from '../report/report-words.js';
import { type Failures, failureCountOf, isServedType, MIN_JUDGED, mostFail } from '../statistics/failures.js';
import { WINDOWS } from '../statistics/operation-statistics.js';
import type { OverviewType } from './overview.js';

/** Longer names are shortened, so that the counts remain visible. */
const MAX_NAME = 120;

/** The last minute of the statistics covers up to a sixth more. An older error is not the one that failed them. */
const RECENT_MS = (WINDOWS.minute * 7) / 6;

/** The failures of the last minute. */
export interface FailureSigns {
  readonly lastMinute: readonly OverviewType[];
  /** Operations that mostly failed, the most failures first. */
  readonly failing: readonly Failures[];
  /** The errors are those of type `errors`. */
  readonly findings?: readonly Finding[];
}

type TypeFailures = Omit<Failures, 'name'>;

/**
 * One sentence about what mostly fails. Incoming requests precede their parts, and a type precedes its operations unless
 * one operation accounts for all failures. Undefined if nothing mostly fails.
 * @param now milliseconds since 1970
 */
export function failureSentence(
  { lastMinute, failing, findings = [] }: FailureSigns,
  now: number,
): string | undefined {
  const types = lastMinute
    .map(failuresOf)
    .filter(mostFail)
    .sort((a, b) => b.failureCount - a.failureCount);
  const recent = findings.filter(({ error }) => now - (error?.lastFailedAt ?? 0) < RECENT_MS);
  return (
    sentenceOf(types.filter(isServed), failing.filter(isServed), failing.length, recent) ??
    sentenceOf(types, failing, failing.length, recent)
  );
}

/**
 * A sentence saying that most incoming requests failed, but too few ended to judge. Without any requests it is about all
 * operations. Undefined if there were enough, or if most succeeded.
 */
export function tooFewToJudge({ lastMinute }: FailureSigns): string | undefined {
  const all = lastMinute.filter(({ count }) => count > 0).map(failuresOf);
  const served = all.filter(isServed);
  const [first, ...others] = served.length > 0 ? served : all;
  if (first === undefined) return undefined;
  const total = others.reduce(
    (sum, { type, count, failureCount }) => ({
      type: sum.type === type ? type : '',
      count: sum.count + count,
      failureCount: sum.failureCount + failureCount,
    }),
    first,
  );
  if (total.count >= MIN_JUDGED || total.failureCount * 2 <= total.count) return undefined;
  return `Too few operations to judge: ${outcome(total)}.`;
}

function sentenceOf(
  [type]: readonly TypeFailures[],
  failing: readonly Failures[],
  failingCount: number,
  findings: readonly Finding[],
): string | undefined {
  const [operation] = type === undefined ? failing : failing.filter((one) => one.type === type.type);
  if (operation !== undefined && (type === undefined || operation.failureCount >= type.failureCount)) {
    const more = failingCount - 1;
    const others =
      more === 0 ? '' : `; ${more} other ${more === 1 ? 'operation also fails' : 'operations also fail'}`;
    return `${nameOf(operation)} fails: ${outcome(operation)}${others}.${errorOf(operation, findings)}`;
  }
  if (type === undefined) return undefined;
  const what = type.type === 'http' ? 'Incoming requests fail' : `Operations of type ${type.type} fail`;
  const worst =
    operation === undefined
      ? ''
      : `, most often ${nameOf(operation)} (${operation.failureCount} of ${operation.count})`;
  return `${what}: ${outcome(type)}${worst}.${operation === undefined ? '' : errorOf(operation, findings)}`;
}

/** ` TypeError: … at ShopController.list (shop.controller.ts:12).`: the latest error that failed an operation, if known. */
function errorOf({ name }: Failures, findings: readonly Finding[]): string {
  const [latest] = findings
    .flatMap(({ route, error, callSite, count }) =>
      route === name && error !== undefined ? [{ error, callSite, count }] : [],
    )
    .sort((a, b) => lastFailure(b) - lastFailure(a) || b.count - a.count);
  return latest === undefined ? '' : ` ${errorAt(latest.error, latest.callSite)}`;
}

function lastFailure({ error }: { readonly error: FoundError }): number {
  return error.lastFailedAt ?? 0;
}

/** `20 of 20 requests in the last minute returned an error` */
function outcome({ type, count, failureCount }: TypeFailures): string {
  return type === 'http'
    ? `${failureCount} of ${count} requests in the last minute returned an error`
    : `${failureCount} of ${count} operations in the last minute failed`;
}

function failuresOf(figures: OverviewType): TypeFailures {
  return { type: figures.type, count: figures.count, failureCount: failureCountOf(figures) };
}

function nameOf({ name }: Failures): string {
  return shortened(name, MAX_NAME);
}

/** Whether the type is that of incoming work, whose caller waits for the result. */
export function isServed({ type }: { readonly type: string }): boolean {
  return isServedType(type);
}
