import type { CallSite } from '../code/call-site.js';
import type { Stall } from '../process/stall.js';
import type { Observation } from './finding.js';
import { calledFunction } from './stalls.js';
import { ms, place } from './words.js';

/** Functions of a stack by which blocks are told apart. */
const MAX_FUNCTIONS = 3;

/** What was seen of a block of the event loop: who held it, and in which function. */
export function observeStall(stall: Stall, callSite: CallSite | undefined): Observation {
  const { operation, stack = [] } = stall;
  const duration = stall.endedAt - stall.startedAt;
  const functions = stack.map(({ functionName }) => functionName || '(anonymous)').slice(0, MAX_FUNCTIONS);
  const running = calledFunction(stack);
  const route = operation === undefined ? '(no operation)' : operation.rootName || operation.name;
  const who = operation === undefined ? 'Work outside of any operation' : route;
  const what = running === undefined ? '' : ` in ${running}`;
  const from = callSite === undefined ? '' : ` from ${place(callSite)}`;
  const blind = stack.length === 0 ? ' Its stack could not be caught.' : '';
  return {
    type: 'event_loop_block',
    fingerprint: functions.length === 0 ? '(stack not caught)' : functions.join(' < '),
    route,
    repetitions: 1,
    ms: duration,
    traceId: operation?.traceId ?? '',
    spanId: operation?.spanId ?? '',
    explanation: `${who} held the event loop for ${ms(duration)}${what}${from}. Every other request waited meanwhile: take it in pieces, use an asynchronous function, or a worker thread.${blind}`,
  };
}
