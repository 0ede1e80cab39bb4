import type { Attributes } from '@opentelemetry/api';
import type { OperationType } from '../operation/operation.js';
import { isBlockingCall } from './blocking-call.js';
import {
  type ClassifiableSpan,
  classify,
  collectionOf,
  isHttp,
  nameFromAttributes,
  nameWithoutAttributes,
  sqlStatement,
} from './classify.js';
import { describeCall } from './outgoing-call.js';
import type { KnownStatement, StatementCache } from './statement.js';
import { dialectOf } from './statement-dialect.js';
import { CONNECTION_POOL, WORKS, workOf } from './work.js';
import type { Inputs, WorkKey } from './work-group.js';

/** Write operations without a statement, as MongoDB and its mappers name them. */
const WRITES =
  /^(?:insert|update|delete|remove|replace|save|create|bulkWrite|findOneAnd|findByIdAnd|findAndModify|upsert|merge|put)/i;
const CURSORS = /^(?:getMore|next|killCursors)$/i;

/** What a span represents, read from its attributes once. Statistics, explanations, metrics and redaction share it. */
export interface SpanDescription {
  readonly type: OperationType;
  /** Its kind of work, see {@link workOf}. */
  readonly work: number;
  /** Low-cardinality: `GET /users/:id`, `SELECT users`. */
  readonly name: string;
  /** Identifies work that is waited for, without its values. Absent where the attributes do not contain it (yet). */
  readonly key: WorkKey | undefined;
  readonly statement: KnownStatement | undefined;
  /** Hashes of its values, as far as its attributes contain them. */
  readonly inputs: Inputs | undefined;
  /** It waits by design until there is something to return, and is never slow. */
  readonly isBlocking: boolean;
  /** Attributes that are set later do not change it. */
  readonly isFinal: boolean;
}

/** The description of a span on the span itself, where its creator knows it. */
export const DESCRIPTION: unique symbol = Symbol('nestjs-performance.description') as never;

/** All waits for a connection pool are one group, whatever the connection is used for. */
const POOL_KEY: WorkKey = { fingerprint: 'connection pool', name: 'connection pool', effect: 'control' };

/** Describes a span. @param type,work its type and kind of work, as far as they are known */
export function describeSpan(
  span: ClassifiableSpan,
  statements: StatementCache,
  type = classify(span),
  work = workOf(type, span.kind),
): SpanDescription {
  const { attributes } = span;
  const text = type === 'database' ? sqlStatement(attributes) : undefined;
  const statement = text === undefined ? undefined : statements.get(text, dialectOf(attributes));
  const attributeName = nameFromAttributes(type, attributes, statement?.summary);
  const name = attributeName ?? nameWithoutAttributes(type, span);
  let key: WorkKey | undefined;
  let inputs: Inputs | undefined;
  let isFinal = false;
  if (work === CONNECTION_POOL) {
    key = POOL_KEY;
    isFinal = true;
  } else if (statement !== undefined) {
    key = statement.key;
    inputs = statement.inputs;
    isFinal = true;
  } else if (work < WORKS) {
    const call = type === 'external' ? describeCall(attributes) : undefined;
    if (call === undefined) {
      key = keyByName(type, attributes, name);
      isFinal = type !== 'database' && type !== 'external' && attributeName !== undefined;
    } else {
      key = call.key;
      inputs = call.inputs;
      isFinal = true;
    }
  }
  const isBlocking = work < WORKS && isBlockingCall(type, span.name, name, attributes, statement);
  return { type, work, name, key, statement, inputs, isBlocking, isFinal };
}

function keyByName(type: OperationType, attributes: Attributes, name: string): WorkKey | undefined {
  if (type !== 'database') {
    // A host alone does not identify a call: those to different paths would look like one that is repeated.
    const isPartial = type === 'external' && isHttp(attributes);
    return {
      fingerprint: name,
      name,
      effect: isPartial ? 'control' : type === 'messaging' ? 'write' : 'read',
    };
  }
  // Without a collection, all operations of a database would share one key.
  const operation = attributes['db.operation.name'] ?? attributes['db.operation'];
  const summary = attributes['db.query.summary'];
  const isComplete = operation !== undefined && collectionOf(attributes) !== undefined;
  if (!isComplete && summary === undefined) return undefined;
  return { fingerprint: name, name, effect: effectOf(String(operation ?? summary)) };
}

function effectOf(operation: string): WorkKey['effect'] {
  return CURSORS.test(operation) ? 'control' : WRITES.test(operation) ? 'write' : 'read';
}
