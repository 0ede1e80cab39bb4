import type { Attributes } from '@opentelemetry/api';
import type { OperationType } from '../operation/operation.js';
import { type ClassifiableSpan, collectionOf, operationName, sqlStatement } from './classify.js';
import { hashInput } from './inputs.js';
import type { KnownStatement, StatementCache } from './statement.js';
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

/** What the work of a span is, without its values, and the values as far as the span shows them. */
export interface DescribedWork {
  readonly key: WorkKey;
  readonly inputs: Inputs | undefined;
  /** When its very text was met first, where it has one. */
  readonly firstSeen?: number;
  readonly text?: string;
}

/** The statement of a database span, or nothing where it has none (yet). */
export function statementOf(attributes: Attributes, statements: StatementCache): KnownStatement | undefined {
  const text = sqlStatement(attributes);
  return text === undefined ? undefined : statements.get(text);
}

/** Describes the work of a span that waits for something. Nothing where its attributes do not say it (yet). */
export function describeWork(
  type: OperationType,
  span: ClassifiableSpan,
  statements: StatementCache,
): DescribedWork | undefined {
  const { attributes } = span;
  if (type === 'database') {
    const known = statementOf(attributes, statements);
    if (known !== undefined) return known;
    // An operation without what it is done to would be the same for all of a database.
    const operation = attributes['db.operation.name'] ?? attributes['db.operation'];
    const told = operation !== undefined && collectionOf(attributes) !== undefined;
    const summary = attributes['db.query.summary'];
    if (!told && summary === undefined) return undefined;
    const effect = effectOf(String(operation ?? summary));
    return { key: keyByName(operationName(type, span, statements), effect), inputs: undefined };
  }
  if (type === 'external') return describeCall(attributes) ?? byName(type, span, statements);
  return byName(type, span, statements);
}

function effectOf(operation: string): WorkKey['effect'] {
  return CURSORS.test(operation) ? 'control' : WRITES.test(operation) ? 'write' : 'read';
}

function byName(type: OperationType, span: ClassifiableSpan, statements: StatementCache): DescribedWork {
  const effect = type === 'messaging' ? 'write' : 'read';
  return { key: keyByName(operationName(type, span, statements), effect), inputs: undefined };
}

function keyByName(name: string, effect: WorkKey['effect']): WorkKey {
  return { fingerprint: name, name, effect };
}

/** An outgoing call: `GET api.example.com/users/{}`, made with what stands in the places of `{}` and in the query. */
function describeCall(attributes: Attributes): DescribedWork | undefined {
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
