import type { Attributes } from '@opentelemetry/api';
import type { OperationType } from '../operation/operation.js';
import {
  type ClassifiableSpan,
  classify,
  collectionOf,
  nameFromAttributes,
  nameWithoutAttributes,
  sqlStatement,
} from './classify.js';
import { hashInput } from './inputs.js';
import type { KnownStatement, StatementCache } from './statement.js';
import { CONNECTION_POOL, WORKS, workOf } from './work.js';
import type { Inputs, WorkKey } from './work-group.js';

/**
 * A segment of a path that identifies one of many things: it contains a digit, is longer than a word, or mixes upper and
 * lower case as no word does.
 */
const VARIABLE = /\d|[@%=:~]|^.{25,}$|^(?=.{12})(?=.*[a-z])(?:.*?[A-Z][a-z]?(?=[A-Z])){2}/;
/** Methods that change nothing, and those of them without a body, so that the address contains all of their values. */
const SAFE = /^(?:GET|HEAD|OPTIONS|QUERY)$/;
const BODILESS = /^(?:GET|HEAD|OPTIONS)$/;
/** Query parameters that select a page of a list. */
const PAGE =
  /(?:^|&)(page|offset|cursor|after|before|starting_after|marker|pageToken|page_token|continuation|skip|start)(?:=|\[|%5B)/i;
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
  /** Attributes that are set later do not change it. */
  readonly isFinal: boolean;
}

/** All waits for a connection pool are one group, whatever the connection is used for. */
const POOL_KEY: WorkKey = { fingerprint: 'connection pool', name: 'connection pool', effect: 'control' };

/** Describes a span. @param type,work its type and kind of work, as far as they are known */
export function describeSpan(
  span: ClassifiableSpan,
  statements: StatementCache,
  type = classify(span),
  work = workOf(type, span.name, span.kind),
): SpanDescription {
  const { attributes } = span;
  const text = type === 'database' ? sqlStatement(attributes) : undefined;
  const statement = text === undefined ? undefined : statements.get(text);
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
  return { type, work, name, key, statement, inputs, isFinal };
}

function keyByName(type: OperationType, attributes: Attributes, name: string): WorkKey | undefined {
  if (type !== 'database')
    return { fingerprint: name, name, effect: type === 'messaging' ? 'write' : 'read' };
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

/** An outgoing call: `GET api.example.com/users/{}`. Its values are the variable segments of the path, and the query. */
function describeCall(
  attributes: Attributes,
): { readonly key: WorkKey; readonly inputs: Inputs | undefined } | undefined {
  const method = attributes['http.request.method'] ?? attributes['http.method'];
  const url = attributes['url.full'] ?? attributes['http.url'];
  if (typeof method !== 'string' || typeof url !== 'string') return undefined;
  const [, host, path = '/', query] =
    /^[a-z]+:\/\/(?:[^/?#]*@)?([^/?#]+)([^?#]*)(?:\?([^#]*))?/i.exec(url) ?? [];
  if (host === undefined) return undefined;
  const inputs: number[] = [];
  const parts = path.split('/').map((part) => {
    if (!VARIABLE.test(part)) return part;
    inputs.push(hashInput(part));
    return '{}';
  });
  if (query !== undefined && query !== '')
    for (const pair of query.split('&')) inputs.push(hashInput(pair.slice(pair.indexOf('=') + 1)));
  const safe = SAFE.test(method);
  // In the fingerprint, too: the request for the first page often has no such parameter.
  const page = safe && query ? PAGE.exec(query)?.[1] : undefined;
  const suffix = page === undefined ? '' : `?${page}={}`;
  const fingerprint = `${method} ${host}${parts.join('/')}`.slice(0, 500 - suffix.length) + suffix;
  return {
    key: {
      fingerprint,
      name: fingerprint,
      effect: safe ? 'read' : 'write',
      shape: page === undefined ? undefined : 'page',
    },
    inputs: inputs.length > MAX_INPUTS || !BODILESS.test(method) ? undefined : inputs,
  };
}

const MAX_INPUTS = 16;
