import { SpanKind } from '@opentelemetry/api';
import type { OperationType } from '../operation/operation.js';

/**
 * What the time of an operation can go to, as indices into a {@link Breakdown}: work that is waited for, by kind; its
 * own time in which the event loop was busy; its own time in which the loop was idle.
 */
export const DATABASE = 0;
export const CACHE = 1;
export const EXTERNAL = 2;
export const MESSAGING = 3;
export const RPC = 4;
/** Until a pool handed out a connection. */
export const CONNECTION_POOL = 5;
export const SELF_BUSY = 6;
export const SELF_IDLE = 7;
/** Not a part of its own: how much of what was waited for (0 to 5) passed with the event loop idle. */
export const WORK_IDLE = 8;

/** The kinds of work that an operation waits for, in the order of their indices. */
export const WORK_NAMES = ['database', 'cache', 'external', 'messaging', 'rpc', 'connection_pool'] as const;
export const WORKS = WORK_NAMES.length;

/** Milliseconds for each of the indices above. */
export type Breakdown = number[];

/**
 * The index of what an operation is work of, or `SELF_BUSY` for what is the application's own: nobody waits for a
 * request that is served here, or for a message that is processed.
 */
export function workOf(type: OperationType, spanName: string, kind: SpanKind): number {
  if (kind === SpanKind.SERVER || kind === SpanKind.CONSUMER) return SELF_BUSY;
  switch (type) {
    case 'database':
      // As instrumentations name the span of a pool that is asked for a connection. Statements have other names.
      return spanName.length < 40 && /pool[._-]?(?:connect|acquire)|getConnection/i.test(spanName)
        ? CONNECTION_POOL
        : DATABASE;
    case 'cache':
      return CACHE;
    case 'external':
      return EXTERNAL;
    case 'messaging':
      return MESSAGING;
    case 'rpc':
      return RPC;
    default:
      return SELF_BUSY;
  }
}

export function emptyBreakdown(): Breakdown {
  // Minus zero is a double from the start: zeros would be integers, and converted at the first sum.
  return [-0, -0, -0, -0, -0, -0, -0, -0, -0];
}

/**
 * Takes for idle what the event loop can't have been busy with: more than the CPU time that there was. Changes the
 * breakdown.
 */
export function capBusyToCpuTime(breakdown: Breakdown, cpuMs: number): void {
  let workMs = 0;
  for (let work = 0; work < WORKS; work++) workMs += breakdown[work] as number;
  const ownBusy = breakdown[SELF_BUSY] as number;
  const busy = ownBusy + Math.max(0, workMs - (breakdown[WORK_IDLE] as number));
  const excess = busy - cpuMs;
  if (!(excess > 0)) return;
  const fromOwn = (excess * ownBusy) / busy;
  (breakdown[SELF_BUSY] as number) -= fromOwn;
  (breakdown[SELF_IDLE] as number) += fromOwn;
  (breakdown[WORK_IDLE] as number) += excess - fromOwn;
}
