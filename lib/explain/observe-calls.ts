import type { CallSite } from '../code/call-site.js';
import { type Chain, parallelSavingMs } from '../spans/call-chain.js';
import { type Observation, severityOf } from './finding.js';
import type { Loader } from './loader.js';
import { adviceOn, copies } from './repetition.js';
import { ms, place, times } from './words.js';

/** What a repetition is, and what to do about it. */
export function explainRepetition(
  { main, others, totalMs }: Loader,
  route: string,
  callSite: CallSite | undefined,
): string {
  const from = callSite === undefined ? '' : ` from ${place(callSite)}`;
  const named = others.slice(0, MAX_OTHERS).map(({ count, name }) => `${count} of ${name}`);
  if (others.length > MAX_OTHERS) named.push(times(others.length - MAX_OTHERS, 'other statement'));
  const together = named.length === 0 ? '' : `, with ${named.join(', ')}`;
  return `${route} made ${copies(main)}${from}${together}, ${ms(totalMs)} in total. ${adviceOn(main)}`;
}

/** Statements that are named beside the main one. */
const MAX_OTHERS = 3;

/** What a chain of calls is, and how certain that is. */
function explainChain(chain: Chain, route: string, callSite: CallSite | undefined): string {
  const from = callSite === undefined ? '' : ` from ${place(callSite)}`;
  return `${route} made ${chain.count} sequential calls (${chain.names.join(', ')})${from}, ${ms(chain.sumMs)} in total. None depended on another's result, as far as their values show: in parallel they could take ${ms(parallelSavingMs(chain))} less.`;
}

/** The observation of a chain of calls in a request. */
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

/** The observation of repeated work in a request. */
export function observeRepetition(
  loader: Loader,
  route: string,
  traceId: string,
  spanId: string,
  callSite: CallSite | undefined,
): Observation {
  const { main, totalMs } = loader;
  return {
    type: main.type,
    severity: severityOf(totalMs, loader.repetitions, loader.rows),
    fingerprint: main.fingerprint,
    route,
    repetitions: main.count,
    ms: totalMs,
    traceId,
    spanId,
    explanation: explainRepetition(loader, route, callSite),
  };
}
