import { basename } from 'node:path';
import type { CallSite } from '../code/call-site.js';
import type { HotFunction } from '../profiling/hot-functions.js';
import type { Chain } from '../spans/call-chain.js';
import { parallelSavingMs } from '../spans/call-chain.js';
import type { RankedCause } from './cause.js';
import type { Observation } from './finding.js';
import { adviceOn, type Repetition } from './repetition.js';
import { brief, ms, percent, place, times } from './words.js';

/** What the sentences of an explanation are made of. Only what was measured is in it. */
export interface Explainable {
  readonly name: string;
  readonly durationMs: number;
  readonly thresholdMs: number;
  /** The median of this operation before, where there is enough of it. */
  readonly expectedMs: number | undefined;
  /** Whether it is work that is waited for itself: a query, a call. */
  readonly waits: boolean;
  readonly causes: readonly RankedCause[];
  readonly repetitions: readonly Repetition[];
  readonly chain: Chain | undefined;
  /** The line of the first cause, where it could be told. */
  readonly callSite: CallSite | undefined;
  /** The innermost function of a stack that was caught, which may be one of Node's. */
  readonly running: string | undefined;
  /** The functions that its CPU time was spent in, by self time, where it was sampled. */
  readonly topFunctions: readonly HotFunction[];
  /** Who held the event loop. */
  readonly blocker:
    | {
        readonly name: string;
        readonly ms: number;
        readonly running: string | undefined;
        readonly callSite: CallSite | undefined;
      }
    | undefined;
  /** What the operation was at when it waited, where that is known: `before its handler`. */
  readonly stage: string | undefined;
  /** Drivers that are installed and not seen. */
  readonly unseen: readonly string[];
  readonly aborted: boolean;
  /** The share of its time in which the event loop was busy, 0 to 1; and the pauses of the collector. */
  readonly loopBusy: number;
  readonly gcMs: number;
}

/** A second cause from this share on is named as well. */
const NAMED = 0.15;

/** Says in a few sentences what the time of a slow operation went to. */
export function explain(facts: Explainable): string {
  const { name, durationMs, thresholdMs, expectedMs, causes } = facts;
  const usually = expectedMs === undefined ? '' : `, usually ${Math.round(expectedMs * 10) / 10}`;
  const [first, second] = causes;
  const sentences: string[] = [];
  const took = `${name} took ${ms(durationMs)} (threshold ${thresholdMs}${usually})`;
  if (first === undefined || first.cause === 'unknown')
    sentences.push(`${took}, and nothing that was seen explains most of it.`);
  else {
    const hedge = first.certainty === 'likely' ? 'most likely ' : '';
    sentences.push(`${took}: ${hedge}${percent(first.share)} went to ${describe(first, facts, true)}.`);
  }
  if (second !== undefined && second.share >= NAMED)
    sentences.push(`Another ${percent(second.share)} went to ${describe(second, facts, false)}.`);
  if (facts.aborted) sentences.push('The client went away before the response was complete.');
  sentences.push(...surroundings(facts, first, second));
  return sentences.join(' ');
}

/** What is worth a word of the loop and the collector, where the causes that were named do not speak of them. */
function surroundings(
  { loopBusy, gcMs, durationMs }: Explainable,
  first: RankedCause | undefined,
  second: RankedCause | undefined,
): string[] {
  const named = [first, second !== undefined && second.share >= NAMED ? second : undefined];
  if (named.some((cause) => cause !== undefined && OF_THE_LOOP.has(cause.cause))) return [];
  const gcHeavy = gcMs > 0.1 * durationMs;
  if (loopBusy < 0.5 && !gcHeavy) return ['Event loop and GC were quiet.'];
  const busy = `The event loop was busy for ${percent(loopBusy)} of the time`;
  return [gcHeavy ? `${busy}, and GC paused it for ${ms(gcMs)}.` : `${busy}.`];
}

const OF_THE_LOOP: ReadonlySet<string> = new Set(['cpu', 'event_loop_blocked', 'gc']);

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
          : `, side by side they could take ${ms(parallelSavingMs(facts.chain))} less`;
      return `${cause.count} calls one after the other (${cause.operation})${from}; none was made with what another had answered${saved}`;
    }
    case 'connection_pool':
      return `waiting for a connection of the pool`;
    case 'cpu': {
      const hot = hottest(facts);
      if (hot !== undefined) return `its own JavaScript: ${hot}`;
      const running =
        located && facts.running !== undefined
          ? `${facts.running}${from}`
          : `${facts.waits ? 'JavaScript that ran meanwhile' : 'its own JavaScript'}${at}`;
      return cause.certainty === 'likely' ? `${running}; other operations ran meanwhile` : running;
    }
    case 'event_loop_blocked':
      return blocked(facts);
    case 'gc':
      return `pauses of the garbage collector (${ms(cause.ms)})`;
    case 'waiting': {
      const unseen = facts.unseen.length === 0 ? '' : `; installed and not seen: ${facts.unseen.join(', ')}`;
      const stage = facts.stage === undefined ? '' : ` ${facts.stage}`;
      return `waiting${stage} with no child that is seen: a timer, a lock or other I/O${unseen}`;
    }
    case 'unknown':
      return 'what was not seen';
    default: {
      const most =
        cause.operation === undefined
          ? ''
          : ` (${cause.operation}${(cause.count ?? 1) > 1 ? `, ${times(cause.count ?? 0, 'time')}` : ''})`;
      return `${NOUNS[cause.cause]}${most}${from}`;
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

function blocked({ blocker }: Explainable): string {
  if (blocker === undefined) return 'waiting for the event loop, which other work held';
  const { name, running, callSite } = blocker;
  const what = running === undefined ? '' : ` in ${running}`;
  const from = callSite === undefined ? '' : ` from ${place(callSite)}`;
  const time = blocker.ms > 0 ? ` for ${ms(blocker.ms)}` : '';
  return `waiting for the event loop, which ${name} held${time}${what}${from}`;
}

function copies({ type, count, sequential, name, fingerprint }: Repetition): string {
  const how = type === 'duplicate_queries' ? 'identical' : sequential ? 'sequential' : 'parallel';
  return `${count} ${how} copies of ${brief(name, fingerprint)}`;
}

/** The share of an operation's samples at which the collector ran. */
export function collectorShare(functions: readonly HotFunction[]): number {
  return functions.find(({ function: name }) => name === COLLECTOR)?.share ?? 0;
}

/** `71 % of it in pbkdf2Sync from AuthService.hash (auth.service.ts:31)`, and what else took much of it. */
function hottest({ topFunctions, callSite }: Explainable): string | undefined {
  // The collector is a cause of its own, and no part of this.
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
      // Of a function that was caught while it called, the line of the call is known.
      const caller =
        callSite !== undefined && callSite.function === calledFrom?.function ? callSite : calledFrom;
      const from = caller === undefined ? '' : ` from ${place(caller)}`;
      return `${percent(share)}${index === 0 ? ' of it' : ''} in ${what}${where}${from}`;
    })
    .join(', ');
}

/** Functions of less than this share are not worth a word, and no more than so many are. */
const HOT = 0.1;
const MAX_HOT = 3;

const COLLECTOR = '(garbage collector)';
/** What V8 calls its own work. */
const V8_WORDS: ReadonlyMap<string, string> = new Map([['(program)', 'native code']]);

/** Says what a repetition is, and what to do about it. */
export function explainRepetition(
  repetition: Repetition,
  route: string,
  callSite: CallSite | undefined,
): string {
  const from = callSite === undefined ? '' : ` from ${place(callSite)}`;
  return `${route} made ${copies(repetition)}${from}, ${ms(repetition.totalMs)} in all. ${adviceOn(repetition)}`;
}

/** Says what a chain of calls is, and how sure that is. */
export function explainChain(chain: Chain, route: string, callSite: CallSite | undefined): string {
  const from = callSite === undefined ? '' : ` from ${place(callSite)}`;
  return `${route} made ${chain.count} calls one after the other (${chain.names.join(', ')})${from}, ${ms(chain.sumMs)} in all. None was made with a value that another had answered, as far as the values show: side by side they could take ${ms(parallelSavingMs(chain))} less.`;
}

/** What was seen of a chain in a request. */
export function observeChain(
  chain: Chain,
  route: string,
  traceId: string,
  spanId: string,
  callSite: CallSite | undefined,
): Observation {
  return {
    type: 'sequential_calls',
    fingerprint: chain.names.join(' > '),
    route,
    repetitions: chain.count,
    ms: chain.sumMs,
    traceId,
    spanId,
    explanation: explainChain(chain, route, callSite),
  };
}

/** What was seen of a repetition in a request. */
export function observeRepetition(
  repetition: Repetition,
  route: string,
  traceId: string,
  spanId: string,
  callSite: CallSite | undefined,
): Observation {
  return {
    type: repetition.type,
    fingerprint: repetition.fingerprint,
    route,
    repetitions: repetition.count,
    ms: repetition.totalMs,
    traceId,
    spanId,
    explanation: explainRepetition(repetition, route, callSite),
  };
}
