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
 * A part of a path that names one thing among many: it holds a digit, is longer than a word, or mixes upper and lower
 * case as no words do.
 */
const VARIABLE = /\d|[@%=:~]|^.{25,}$|^(?=.{12})(?=.*[a-z])(?:.*?[A-Z][a-z]?(?=[A-Z])){2}/;
/** Methods that change nothing; and those among them that have no body, so that the address is all they ask. */
const SAFE = /^(?:GET|HEAD|OPTIONS|QUERY)$/;
const BODILESS = /^(?:GET|HEAD|OPTIONS)$/;
/** What asks for a page of a list. */
const PAGE =
  /(?:^|&)(page|offset|cursor|after|before|starting_after|marker|pageToken|page_token|continuation|skip|start)(?:=|\[|%5B)/i;
/** Operations of databases that have no statement, as MongoDB and its mappers name them. */
const WRITES =
  /^(?:insert|update|delete|remove|replace|save|create|bulkWrite|findOneAnd|findByIdAnd|findAndModify|upsert|merge|put)/i;
const CURSORS = /^(?:getMore|next|killCursors)$/i;

/** What a span is, read from its attributes once. Statistics, explanations, metrics and redaction use the same one. */
export interface SpanDescription {
  readonly type: OperationType;
  /** What it is work of, see {@link workOf}. */
  readonly work: number;
  /** Low-cardinality: `GET /users/:id`, `SELECT users`. */
  readonly name: string;
  /** Of work that is waited for: what it is, without its values. Absent where its attributes do not say it (yet). */
  readonly key: WorkKey | undefined;
  readonly statement: KnownStatement | undefined;
  /** The values that it is made with, as far as its attributes show them. */
  readonly inputs: Inputs | undefined;
  /** Attributes that are set later do not change it. */
  readonly isFinal: boolean;
}

/** A connection pool is waited for whatever the connection will be used for. */
const POOL_KEY: WorkKey = { fingerprint: 'connection pool', name: 'connection pool', effect: 'control' };

/** Describes a span. @param type,work as far as they are known */
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
  // An operation without what it is done to would be the same for all of a database.
  const operation = attributes['db.operation.name'] ?? attributes['db.operation'];
  const summary = attributes['db.query.summary'];
  const isComplete = operation !== undefined && collectionOf(attributes) !== undefined;
  if (!isComplete && summary === undefined) return undefined;
  return { fingerprint: name, name, effect: effectOf(String(operation ?? summary)) };
}

function effectOf(operation: string): WorkKey['effect'] {
  return CURSORS.test(operation) ? 'control' : WRITES.test(operation) ? 'write' : 'read';
}

/** An outgoing call: `GET api.example.com/users/{}`, made with what stands in the places of `{}` and in the query. */
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
  // In the fingerprint, too: the first page is often asked for without.
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
