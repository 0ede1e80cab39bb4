import { SpanKind } from '@opentelemetry/api';
import type { OperationType } from '../operation/operation.js';

/**
 * What the time of an operation can be spent on, as indices into a {@link Breakdown}: an idle event loop while work was waited
 * for, by kind of work; a busy event loop, whatever was waited for; an idle one while nothing instrumented was waited for.
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

/** The kinds of work that an operation waits for, in the order of their indices. */
export const WORK_NAMES = ['database', 'cache', 'external', 'messaging', 'rpc', 'connection_pool'] as const;
export const WORKS = WORK_NAMES.length;

/** Milliseconds for each of the indices above. */
export type Breakdown = number[];

/**
 * The kind of work of a span, as an index, or `SELF_BUSY` for the application's own code: no other span waits for an
 * incoming request or a message that is processed.
 */
export function workOf(type: OperationType, kind: SpanKind): number {
  if (kind === SpanKind.SERVER || kind === SpanKind.CONSUMER) return SELF_BUSY;
  switch (type) {
    case 'database':
      return DATABASE;
    case 'connection_pool':
      return CONNECTION_POOL;
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
  return [-0, -0, -0, -0, -0, -0, -0, -0];
}

/** The index of what the idle time of a span counts as. */
export function kindOf(work: number): number {
  return work < WORKS ? work : SELF_IDLE;
}

/** Adds the idle parts of a child, scaled to its share of the time in which its parent waited. */
export function addIdleParts(to: number[], parts: Breakdown, share: number): void {
  let idle = parts[SELF_IDLE] as number;
  for (let work = 0; work < WORKS; work++) idle += parts[work] as number;
  if (idle <= 0) {
    (to[SELF_IDLE] as number) += share;
    return;
  }
  const scale = share / idle;
  (to[SELF_IDLE] as number) += (parts[SELF_IDLE] as number) * scale;
  for (let work = 0; work < WORKS; work++) (to[work] as number) += (parts[work] as number) * scale;
}
