import { basename } from 'node:path';
import type { CallSite } from '../code/call-site.js';
import { COLLECTOR, type HotFunction } from '../profiling/hot-functions.js';
import type { Chain } from '../spans/call-chain.js';
import { parallelSavingMs } from '../spans/call-chain.js';
import type { RankedCause } from './cause.js';
import { copies, type Repetition } from './repetition.js';
import { ms, place, times, wholePercent } from './words.js';

/** What an explanation is composed from. Only measurements are in it. */
export interface Explainable {
  readonly name: string;
  readonly durationMs: number;
  readonly thresholdMs: number;
  /** The median of the operation, once enough is known. */
  readonly expectedMs: number | undefined;
  /** Whether it is itself work that is waited for: a query, a call. */
  readonly isWork: boolean;
  readonly causes: readonly RankedCause[];
  readonly repetitions: readonly Repetition[];
  readonly chain: Chain | undefined;
  /** The line of the first cause, where it is known. */
  readonly callSite: CallSite | undefined;
  /** The innermost function of a captured stack, which may be one of Node's. */
  readonly running: string | undefined;
  /** The functions that used its CPU time, by self time, where it was sampled. */
  readonly topFunctions: readonly HotFunction[];
  /** What blocked the event loop. */
  readonly blocker:
    | {
        readonly name: string;
        readonly ms: number;
        readonly running: string | undefined;
        readonly callSite: CallSite | undefined;
      }
    | undefined;
  /** Where the operation was when it waited, where that is known: `before its handler`. */
  readonly stage: string | undefined;
  /** How it waited for its client, where it did so for most of its unknown waits. */
  readonly client?: string | undefined;
  /** Drivers that are installed and not instrumented. */
  readonly uninstrumented: readonly string[];
  readonly aborted: boolean;
  /** The share of its time in which the event loop was busy, 0 to 1; and the pauses of the garbage collector. */
  readonly loopBusy: number;
  readonly gcMs: number;
  /** How long a CPU limit stopped the container. */
  readonly throttledMs: number;
}

/** A second cause is also named from this share. */
const NAMED = 0.15;

/** A few sentences on where the time of a slow operation went. */
export function explain(facts: Explainable): string {
  const { name, durationMs, thresholdMs, expectedMs, causes } = facts;
  const median = expectedMs === undefined ? '' : `, median ${Math.round(expectedMs * 10) / 10}`;
  const [first, second] = causes;
  const sentences: string[] = [];
  const took = `${name} took ${ms(durationMs)} (threshold ${thresholdMs}${median})`;
  if (first === undefined || first.cause === 'unknown')
    sentences.push(`${took}. No single cause explains most of it.`);
  else {
    const hedge = first.certainty === 'likely' ? 'most likely ' : '';
    sentences.push(`${took}: ${hedge}${wholePercent(first.share)} went to ${describe(first, facts, true)}.`);
  }
  if (second !== undefined && second.share >= NAMED)
    sentences.push(`Another ${wholePercent(second.share)} went to ${describe(second, facts, false)}.`);
  if (facts.aborted) sentences.push('The client disconnected before the response was complete.');
  sentences.push(...processState(facts, first, second));
  return sentences.join(' ');
}

/** The state of event loop and garbage collector, unless the named causes are about them. */
function processState(
  { loopBusy, gcMs, durationMs }: Explainable,
  first: RankedCause | undefined,
  second: RankedCause | undefined,
): string[] {
  const named = [first, second !== undefined && second.share >= NAMED ? second : undefined];
  if (named.some((cause) => cause !== undefined && LOOP_CAUSES.has(cause.cause))) return [];
  const gcHeavy = gcMs > 0.1 * durationMs;
  if (loopBusy < 0.5 && !gcHeavy) return ['Event loop and GC were quiet.'];
  const busy = `The event loop was busy for ${wholePercent(loopBusy)} of the time`;
  return [gcHeavy ? `${busy}, and GC paused it for ${ms(gcMs)}.` : `${busy}.`];
}

const LOOP_CAUSES: ReadonlySet<string> = new Set(['cpu', 'event_loop_blocked', 'cpu_starved', 'gc']);

/** @param located whether the call site is this cause's */
function describe(cause: RankedCause, facts: Explainable, located: boolean): string {
  const { callSite } = facts;
  const from = located && callSite !== undefined ? ` from ${place(callSite)}` : '';
  const at = located && callSite !== undefined ? ` in ${place(callSite)}` : '';
  switch (cause.cause) {
    case 'n_plus_one': {
      const repetition = facts.repetitions.find(
        ({ name, count }) => name === cause.operation && count === cause.count,
      );
      return repetition === undefined
        ? `${cause.count} copies of ${cause.operation}`
        : `${copies(repetition)}${from}`;
    }
    case 'sequential_calls': {
      const saved =
        facts.chain === undefined
          ? ''
          : `, in parallel they could take ${ms(parallelSavingMs(facts.chain))} less`;
      return `${cause.count} sequential calls (${cause.operation})${from}; none depended on another's result${saved}`;
    }
    case 'connection_pool':
      return 'waiting for a connection of the pool';
    case 'cpu': {
      const hot = hottest(facts);
      if (hot !== undefined) return `its own JavaScript: ${hot}`;
      const running =
        located && facts.running !== undefined
          ? `${facts.running}${from}`
          : `${facts.isWork ? 'JavaScript that ran meanwhile' : 'its own JavaScript'}${at}`;
      return cause.certainty === 'likely' ? `${running}; other operations ran meanwhile` : running;
    }
    case 'event_loop_blocked':
      return blocked(facts, cause.ms);
    case 'cpu_starved':
      return `waiting for a CPU, which ${withheldBy(facts.throttledMs, cause.ms)}`;
    case 'gc':
      return `pauses of the garbage collector (${ms(cause.ms)})`;
    case 'waiting': {
      const { stage, uninstrumented, client } = facts;
      if (client !== undefined) return client;
      const where = stage === undefined ? '' : ` ${stage}`;
      const drivers = uninstrumented.length === 0 ? '' : `; not instrumented: ${uninstrumented.join(', ')}`;
      return `waiting${where} on something not instrumented (a timer, a lock or other I/O)${drivers}`;
    }
    case 'unknown':
      return 'something not measured';
    default: {
      const most =
        cause.operation === undefined
          ? ''
          : ` (${cause.operation}${(cause.count ?? 1) > 1 ? `, ${times(cause.count ?? 0, 'time')}` : ''})`;
      return `${NOUNS[cause.cause]}${most}${from}${answer(cause.remote)}`;
    }
  }
}

const NOUNS = {
  database: 'the database',
  cache: 'the cache',
  external: 'outgoing calls',
  messaging: 'messaging',
  rpc: 'remote procedure calls',
} as const;

/** A service that measured less than this share of a call did not make it slow. */
const MIN_REMOTE = 0.5;

/** What the called service says of its time. */
function answer(remote: RankedCause['remote']): string {
  if (remote === undefined) return '';
  const { totalMs, callMs, cause, causeMs, operation } = remote;
  if (totalMs < MIN_REMOTE * callMs)
    return `; the service itself measured ${ms(totalMs)} of ${ms(callMs)}, the rest is the network or its queue`;
  const what = operation === undefined ? '' : ` (${operation})`;
  return `; of its ${ms(totalMs)} the service spent ${ms(causeMs)} ${REMOTE_NOUNS.get(cause) ?? `on ${cause}`}${what}`;
}

/** The causes of {@link RemoteTiming} in words. */
const REMOTE_NOUNS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    database: 'on the database',
    cache: 'on the cache',
    external: 'on outgoing calls',
    messaging: 'on messaging',
    rpc: 'on remote procedure calls',
    connection_pool: 'waiting for a connection of its pool',
    event_loop: 'with its event loop busy',
    waiting: 'waiting on something not instrumented',
  }),
);

/** @param waitedMs how long the operation waited for the event loop */
function blocked({ blocker }: Explainable, waitedMs: number): string {
  if (blocker === undefined) return 'waiting for the event loop, which other work blocked';
  const { name, running, callSite } = blocker;
  const what = running === undefined ? '' : ` in ${running}`;
  const from = callSite === undefined ? '' : ` from ${place(callSite)}`;
  const time = blocker.ms > 0 ? ` for ${ms(blocker.ms)}` : '';
  // Where no block is most of the time, many short ones are.
  return blocker.ms > 0 && blocker.ms < waitedMs / 2
    ? `waiting for the event loop, which other work kept busy, ${name}${time} of it${what}${from}`
    : `waiting for the event loop, which ${name} blocked${time}${what}${from}`;
}

/** Who had the CPU: kernels may count only a part of the time in which a limit stops a container. */
function withheldBy(throttledMs: number, starvedMs: number): string {
  if (throttledMs < 0.1 * starvedMs) return 'other processes used';
  const limit = `the container's CPU limit withheld (throttled for ${ms(throttledMs)})`;
  return throttledMs >= 0.5 * starvedMs ? limit : `${limit} or other processes used`;
}

/** The share of an operation's samples in which the garbage collector ran. */
export function collectorShare(functions: readonly HotFunction[]): number {
  return functions.find(({ function: name }) => name === COLLECTOR)?.share ?? 0;
}

/** `71 % of it in pbkdf2Sync from AuthService.hash (auth.service.ts:31)`, and the next hottest functions. */
function hottest({ topFunctions, callSite }: Explainable): string | undefined {
  // The garbage collector is a cause of its own.
  const rest = 1 - collectorShare(topFunctions);
  const named = topFunctions
    .filter(({ function: name }) => name !== COLLECTOR)
    .map((one) => ({ ...one, share: one.share / rest }))
    .filter(({ share }, index) => index === 0 || share >= HOT)
    .slice(0, MAX_HOT);
  if (named.length === 0) return undefined;
  return named
    .map((one, index) => {
      const { function: name, share, file, line, calledFrom } = one;
      const what = V8_WORDS.get(name) ?? name;
      const where = file === undefined || line === undefined ? '' : ` (${basename(file)}:${line})`;
      // The captured stack has the line of the call.
      const caller =
        callSite !== undefined && callSite.function === calledFrom?.function ? callSite : calledFrom;
      const from = caller === undefined ? '' : ` from ${place(caller)}`;
      return `${wholePercent(share)}${index === 0 ? ' of it' : ''} in ${what}${where}${from}`;
    })
    .join(', ');
}

/** Functions are named from this share, up to so many. */
const HOT = 0.1;
const MAX_HOT = 3;

/** V8's names of its own work. */
const V8_WORDS: ReadonlyMap<string, string> = new Map([['(program)', 'native code']]);
