import type { Attributes } from '@opentelemetry/api';
import type { OperationType } from '../operation/operation.js';
import { rawStatement } from './classify.js';

/** Commands of Redis that wait until there is something to return. */
const BLOCKING = new Set([
  'BLPOP',
  'BRPOP',
  'BRPOPLPUSH',
  'BLMOVE',
  'BLMPOP',
  'BZPOPMIN',
  'BZPOPMAX',
  'BZMPOP',
  'WAIT',
  'WAITAOF',
  'MONITOR',
  'SUBSCRIBE',
  'PSUBSCRIBE',
  'SSUBSCRIBE',
]);
/** Reads of a Redis stream that wait if they have this argument. */
const STREAM_READS = new Set(['XREAD', 'XREADGROUP']);
const BLOCK = /\bblock\b/i;
const BLOCK_OPTION = /^\s*xread(?:group\s+group\s+\S+\s+\S+)?(?:\s+(?:count\s+\S+|noack))*\s+block\b/i;
/** Packages of Oracle by which a statement waits for a message or a time. */
const WAITING_PACKAGE = /^dbms_(?:aq|alert|lock|session)$/;
/** The stage of a pipeline that reads the next events of a change stream. */
const CHANGE_STREAM = /\[\s*\{\s*["']?\$changeStream["']?\s*:/;
/** Characters of a command that are searched: the stage is the first one. */
const MAX_SEARCHED = 2048;
const RECEIVES = /^(?:receive|poll|peek|subscribe|consume)/i;

/**
 * Whether a statement of SQL Server or Oracle waits for a message or a time: `WAITFOR DELAY`, `dbms_lock.sleep(1)`.
 * @param text it without literals, which is searched first
 */
export function isWaiting(text: string, tokens: readonly string[]): boolean {
  if (!text.includes('waitfor') && !text.includes('dbms_')) return false;
  return tokens.some((token, at) => {
    const next = tokens[at + 1];
    if (token === 'waitfor') return next === '(' || next === 'delay' || next === 'time';
    return next === '.' && WAITING_PACKAGE.test(token);
  });
}

/**
 * Whether a call waits by design until there is something to return, as queue workers and subscribers do: it is never slow,
 * however long it takes.
 * @param name the name of the operation
 * @param statement its statement of SQL
 */
export function isBlockingCall(
  type: OperationType,
  spanName: string,
  name: string,
  attributes: Attributes,
  statement: { readonly isBlocking: boolean } | undefined,
): boolean {
  switch (type) {
    case 'cache': {
      const command = name.toUpperCase();
      if (BLOCKING.has(command)) return true;
      if (!STREAM_READS.has(command)) return false;
      return BLOCK.test(spanName) || BLOCK_OPTION.test(rawStatement(attributes) ?? '');
    }
    case 'database':
      return statement?.isBlocking ?? readsChangeStream(attributes);
    case 'messaging': {
      const operation = attributes['messaging.operation.type'] ?? attributes['messaging.operation'] ?? name;
      return typeof operation === 'string' && RECEIVES.test(operation);
    }
    default:
      return false;
  }
}

function readsChangeStream(attributes: Attributes): boolean {
  const begin = rawStatement(attributes)?.slice(0, MAX_SEARCHED);
  return begin?.includes('$changeStream') === true && CHANGE_STREAM.test(begin);
}
