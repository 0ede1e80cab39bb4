import type { CauseName } from '../explain/cause.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import { figure, shortened } from '../report/report-words.js';
import { failureCountOf } from '../statistics/failures.js';
import { type FailureSigns, failureSentence, isServed, tooFewToJudge } from './failing.js';
import type { Overview, OverviewOperation } from './overview.js';

/** An operation is said to be slow from this share of its calls within a minute on, in percent, and from so many. */
const SLOW_PERCENT = 5;
const VERY_SLOW_PERCENT = 25;
const MIN_SLOW = 3;
/** A finding that was not seen for so long is no news. */
const RECENT_MS = 300_000;
/** The sentence is one line. */
const MAX_SENTENCE = 240;

/** What the sentence is made of. */
export type Signs = Pick<Overview, 'alerts' | 'regressions' | 'leaks' | 'findings' | 'operations'> &
  FailureSigns & {
    /** Operations that have ended so far. */
    readonly total: number;
    /** The newest first. */
    readonly slow: readonly Pick<SlowOperation, 'type' | 'name' | 'cause' | 'causes'>[];
  };

type Health = Overview['health'];

/**
 * Says in one line how the application is: the worst thing first, in the words of whoever saw it.
 * @param now milliseconds since 1970
 */
export function healthOf(signs: Signs, now: number): Health {
  if (signs.total === 0)
    return { state: 'idle', sentence: 'Nothing was recorded yet: send a request to the application.' };
  const failure = failureSentence(signs);
  if (failure !== undefined) return unhealthy(shortened(failure, MAX_SENTENCE));
  const worst = worstSign(signs, now);
  if (worst !== undefined) return { ...worst, sentence: oneLine(worst.sentence) };
  const tooFew = tooFewToJudge(signs);
  if (tooFew !== undefined) return { state: 'idle', sentence: tooFew };
  return { state: 'healthy', sentence: allIsWell(signs) };
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
    findings.find(({ severity, lastSeen }) => severity !== 'info' && now - lastSeen < RECENT_MS)?.explanation;
  return sentence === undefined ? undefined : { state: 'degraded', sentence };
}

function unhealthy(sentence: string): Health {
  return { state: 'unhealthy', sentence };
}

/** What fires, with the summary of when it began to. */
function firingAlerts({ alerts: { active, recent } }: Signs): { severity: string; sentence: string }[] {
  return active.map(({ rule, subject, firedAt }) => {
    const event = recent.find(
      (one) => one.rule === rule && one.subject === subject && one.firedAt === firedAt,
    );
    const about = subject === undefined ? '' : ` (${subject})`;
    return {
      severity: event?.severity ?? 'warning',
      sentence: event?.summary ?? `The alert ${rule}${about} fires.`,
    };
  });
}

/** What people wait for comes before the parts that it is made of. */
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
  const why = cause === undefined ? '' : `, mostly by ${cause}`;
  return `${name} is slow in ${figure(Math.round(minute.slowPercentage))} % of its calls${why}.`;
}

/** `one SELECT track after the other (N+1)` */
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
  n_plus_one: (operation) => `the same ${operation ?? 'call'} again and again (N+1)`,
  sequential_calls: () => 'calls one after the other that could run side by side',
  database: named('the database'),
  cache: named('the cache'),
  external: named('outgoing calls'),
  messaging: named('messaging'),
  rpc: named('remote calls'),
  connection_pool: () => 'waiting for a connection of the pool',
  cpu: () => 'its own JavaScript',
  event_loop_blocked: named('other work that blocks the event loop'),
  gc: () => 'garbage collection',
  waiting: () => 'waiting for what is not seen',
};

function allIsWell({ lastMinute }: Signs): string {
  const count = lastMinute.reduce((sum, figures) => sum + figures.count, 0);
  const failed = lastMinute.reduce((sum, figures) => sum + failureCountOf(figures), 0);
  if (count === 0) return 'All is well: nothing ended within the last minute, and nothing needs attention.';
  const few = failed === 0 ? '' : `, ${failed} of which failed`;
  return `All is well: ${count} ${count === 1 ? 'operation' : 'operations'} within the last minute${few}, and nothing needs attention.`;
}

/** The first sentence of an explanation, which may have several. */
function oneLine(text: string): string {
  const [first = ''] = text.split(/(?<=[.!?])\s+(?=\p{Lu})/u);
  return shortened(first, MAX_SENTENCE);
}
