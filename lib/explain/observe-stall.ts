import type { CallSite } from '../code/call-site.js';
import type { Stall } from '../process/stall.js';
import type { Observation } from './finding.js';
import { calledFunction } from './stalls.js';
import { ms, place } from './words.js';

/** Functions of a stack that distinguish blocks. */
const MAX_FUNCTIONS = 3;

/** The observation of a blocked event loop: by which operation, in which function. */
export function observeStall(stall: Stall, callSite: CallSite | undefined): Observation {
  const { operation, stack = [] } = stall;
  const duration = stall.endedAt - stall.startedAt;
  const functions = stack.map(({ functionName }) => functionName || '(anonymous)').slice(0, MAX_FUNCTIONS);
  const running = calledFunction(stack);
  const route = operation === undefined ? '(no operation)' : operation.rootName || operation.name;
  const who = operation === undefined ? 'Work outside any operation' : route;
  const what = running === undefined ? '' : ` in ${running}`;
  const from = callSite === undefined ? '' : ` from ${place(callSite)}`;
  const blind = stack.length === 0 ? ' Its stack could not be captured.' : '';
  return {
    type: 'event_loop_block',
    fingerprint: functions.length === 0 ? '(stack not captured)' : functions.join(' < '),
    route,
    repetitions: 1,
    ms: duration,
    traceId: operation?.traceId ?? '',
    spanId: operation?.spanId ?? '',
    explanation: `${who} blocked the event loop for ${ms(duration)}${what}${from}. Every other request waited meanwhile: split the work, use an asynchronous function, or a worker thread.${blind}`,
  };
}
