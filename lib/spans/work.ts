import { SpanKind } from '@opentelemetry/api';
import type { OperationType } from '../operation/operation.js';

/**
 * What the time of an operation can be spent on, as indices into a {@link Breakdown}: work that is waited for, by kind; self
 * time with a busy event loop; self time with an idle one.
 */
export const DATABASE = 0;
export const CACHE = 1;
export const EXTERNAL = 2;
export const MESSAGING = 3;
export const RPC = 4;
/** Waiting for a connection from a pool. */
export const CONNECTION_POOL = 5;
export const SELF_BUSY = 6;
export const SELF_IDLE = 7;
/** No part of the sum: how much of the waiting (0 to 5) passed with an idle event loop. */
export const WORK_IDLE = 8;

/** The kinds of work that an operation waits for, in the order of their indices. */
export const WORK_NAMES = ['database', 'cache', 'external', 'messaging', 'rpc', 'connection_pool'] as const;
export const WORKS = WORK_NAMES.length;

/** Milliseconds for each of the indices above. */
export type Breakdown = number[];

/**
 * The kind of work of a span, as an index, or `SELF_BUSY` for the application's own code: no other span waits for an
 * incoming request or a message that is processed.
 */
export function workOf(type: OperationType, spanName: string, kind: SpanKind): number {
  if (kind === SpanKind.SERVER || kind === SpanKind.CONSUMER) return SELF_BUSY;
  switch (type) {
    case 'database':
      // The names that instrumentations give to the wait for a connection. A statement may contain such words, too.
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

/** Changes busy time beyond the CPU time of the process into idle time, in place. */
export function capBusyToCpuTime(breakdown: Breakdown, cpuMs: number): void {
  let workMs = 0;
  for (let work = 0; work < WORKS; work++) workMs += breakdown[work] as number;
  const selfBusy = breakdown[SELF_BUSY] as number;
  const busy = selfBusy + Math.max(0, workMs - (breakdown[WORK_IDLE] as number));
  const excess = busy - cpuMs;
  if (!(excess > 0)) return;
  const fromSelf = (excess * selfBusy) / busy;
  (breakdown[SELF_BUSY] as number) -= fromSelf;
  (breakdown[SELF_IDLE] as number) += fromSelf;
  (breakdown[WORK_IDLE] as number) += excess - fromSelf;
}
