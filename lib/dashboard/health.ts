import type { CauseName } from '../explain/cause.js';
import type { Finding } from '../explain/finding.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import { shortened } from '../report/report-words.js';
import { failureCountOf } from '../statistics/failures.js';
import { figure } from '../text/quantities.js';
import { type FailureSigns, failureSentence, isServed, tooFewToJudge } from './failing.js';
import type { Overview, OverviewOperation } from './overview.js';

/** The sentence names an operation as slow from this percentage and number of slow calls in the last minute. */
const SLOW_PERCENT = 5;
const VERY_SLOW_PERCENT = 25;
const MIN_SLOW = 3;
/** Older findings do not affect the health. */
const RECENT_MS = 300_000;
/** The sentence must fit on one line of the page. */
const MAX_SENTENCE = 240;
/** With the error and its line. */
const MAX_FAILURE = 400;

/** The data that health is derived from. */
export type Signs = Pick<Overview, 'alerts' | 'regressions' | 'leaks' | 'findings' | 'operations'> &
  FailureSigns & {
    /** The number of operations that ended so far. */
    readonly total: number;
    /** The newest first. */
    readonly slow: readonly Pick<SlowOperation, 'type' | 'name' | 'cause' | 'causes'>[];
  };

type Health = Overview['health'];

/**
 * The state of the application and one sentence about its worst problem, as its detector describes it.
 * @param now milliseconds since 1970
 */
export function healthOf(signs: Signs, now: number): Health {
  if (signs.total === 0)
    return { state: 'idle', sentence: 'No operations recorded yet: send a request to the application.' };
  const failure = failureSentence(signs, now);
  if (failure !== undefined) return unhealthy(shortened(failure, MAX_FAILURE));
  const worst = worstSign(signs, now);
  if (worst !== undefined) return { ...worst, sentence: oneLine(worst.sentence) };
  const tooFew = tooFewToJudge(signs);
  if (tooFew !== undefined) return { state: 'idle', sentence: tooFew };
  return { state: 'healthy', sentence: healthySentence(signs) };
}

function worstSign(signs: Signs, now: number): Health | undefined {
  const { regressions, leaks, findings, operations, slow } = signs;
  const alerts = firingAlerts(signs);
  const critical = alerts.find(({ severity }) => severity === 'critical');
  if (critical !== undefined) return unhealthy(critical.sentence);
  const leak = leaks.find(({ state }) => state === 'confirmed');
  if (leak !== undefined) return unhealthy(leak.explanation);
  const slowest = slowestNow(operations);
  if (slowest !== undefined) {
    const isBad = slowest.minute.slowPercentage >= VERY_SLOW_PERCENT;
    return { state: isBad ? 'unhealthy' : 'degraded', sentence: slowSentence(slowest, slow) };
  }
  const sentence =
    alerts[0]?.sentence ??
    regressions.find(({ state }) => state === 'open')?.explanation ??
    leaks[0]?.explanation ??
    findings.find((finding) => isWorthKnowing(finding, now))?.explanation;
  return sentence === undefined ? undefined : { state: 'degraded', sentence };
}

/** Whether errors matter is decided by their share of all operations. */
function isWorthKnowing({ type, severity, lastSeen }: Finding, now: number): boolean {
  return type !== 'errors' && severity !== 'info' && now - lastSeen < RECENT_MS;
}

function unhealthy(sentence: string): Health {
  return { state: 'unhealthy', sentence };
}

/** Firing alerts with the summary of the event that reported them. */
function firingAlerts({ alerts: { active, recent } }: Signs): { severity: string; sentence: string }[] {
  return active.map(({ rule, subject, firedAt }) => {
    const event = recent.find(
      (one) => one.rule === rule && one.subject === subject && one.firedAt === firedAt,
    );
    const about = subject === undefined ? '' : ` (${subject})`;
    return {
      severity: event?.severity ?? 'warning',
      sentence: event?.summary ?? `Alert ${rule}${about} is firing.`,
    };
  });
}

/** The slowest operation. Incoming requests precede their parts. */
function slowestNow(operations: readonly OverviewOperation[]): OverviewOperation | undefined {
  const slow = operations.filter(
    ({ minute }) => minute.slowPercentage >= SLOW_PERCENT && minute.slowCount >= MIN_SLOW,
  );
  const served = slow.filter(isServed);
  return (served.length > 0 ? served : slow).sort(
    (a, b) => b.minute.slowPercentage - a.minute.slowPercentage || b.minute.slowCount - a.minute.slowCount,
  )[0];
}

function slowSentence({ type, name, minute }: OverviewOperation, slow: Signs['slow']): string {
  const cause = mostFrequentCause(slow.filter((one) => one.type === type && one.name === name));
  const why = cause === undefined ? '' : `, mostly due to ${cause}`;
  return `${name} is slow in ${figure(Math.round(minute.slowPercentage))} % of calls${why}.`;
}

/** `N+1 queries (SELECT track)` */
function mostFrequentCause(slow: Signs['slow']): string | undefined {
  const counts = new Map<string, number>();
  for (const { cause, causes } of slow) {
    const words = WORDS[cause]?.(causes[0]?.operation);
    if (words !== undefined) counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

const named =
  (what: string) =>
  (operation: string | undefined): string =>
    operation === undefined ? what : `${what} (${operation})`;

const WORDS: Readonly<Partial<Record<CauseName, (operation: string | undefined) => string>>> = {
  n_plus_one: named('N+1 queries'),
  sequential_calls: () => 'sequential calls that could run in parallel',
  database: named('the database'),
  cache: named('the cache'),
  external: named('outgoing calls'),
  messaging: named('messaging'),
  rpc: named('remote calls'),
  connection_pool: () => 'waiting for a pooled connection',
  cpu: () => 'its own JavaScript',
  event_loop_blocked: named('other work blocking the event loop'),
  cpu_starved: () => 'waiting for a CPU',
  gc: () => 'garbage collection',
  waiting: () => 'waiting on something not instrumented',
};

function healthySentence({ lastMinute }: Signs): string {
  const count = lastMinute.reduce((sum, figures) => sum + figures.count, 0);
  const failed = lastMinute.reduce((sum, figures) => sum + failureCountOf(figures), 0);
  if (count === 0) return 'No operations in the last minute.';
  const failures = failed === 0 ? '' : `, ${failed} of them failed`;
  return `${count} ${count === 1 ? 'operation' : 'operations'} in the last minute${failures}. No action needed.`;
}

/** The first sentence of an explanation. */
function oneLine(text: string): string {
  const [first = ''] = text.split(/(?<=[.!?])\s+(?=\p{Lu})/u);
  return shortened(first, MAX_SENTENCE);
}
