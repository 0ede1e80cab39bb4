import { type Attributes, SpanKind } from '@opentelemetry/api';
import { boundedName, type OperationType } from '../operation/operation.js';
import { nameWithTemplate } from './span-name.js';
import { isJson } from './statement-tokens.js';

/** The attribute that sets the type of a span explicitly. */
export const TYPE_ATTRIBUTE = 'performance.operation.type';

/** Database systems that are classified as caches. */
const CACHES = new Set(['redis', 'memcached', 'valkey', 'dragonfly', 'keydb', 'aws.elasticache']);
/** The names that instrumentations give to the wait for a connection. A statement may contain such words, too. */
const POOL = /pool[._-]?(?:connect|acquire)|getConnection/i;
const MAX_POOL_NAME = 40;
const METHODS = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
]);

/** The members of a span that classification reads. */
export interface ClassifiableSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
}

/**
 * The type of a span by the semantic conventions for HTTP, databases, messaging and RPC: by the stable attribute names
 * first, then by the old ones.
 */
export function classify({ name, kind, attributes }: ClassifiableSpan): OperationType {
  const own = attributes[TYPE_ATTRIBUTE];
  if (typeof own === 'string') return boundedName(own);
  if (kind === SpanKind.SERVER) return isRpc(attributes) ? 'rpc' : isHttp(attributes) ? 'http' : 'internal';
  const system = attributes['db.system.name'] ?? attributes['db.system'];
  if (system !== undefined) {
    if (CACHES.has(system as string)) return 'cache';
    return name.length < MAX_POOL_NAME && POOL.test(name) ? 'connection_pool' : 'database';
  }
  if (attributes['messaging.system'] !== undefined) return 'messaging';
  if (kind === SpanKind.CLIENT) {
    if (isRpc(attributes)) return 'rpc';
    return isHttp(attributes) || attributes['server.address'] !== undefined ? 'external' : 'internal';
  }
  return kind === SpanKind.PRODUCER || kind === SpanKind.CONSUMER ? 'messaging' : 'internal';
}

/** Whether a span is an HTTP request, sent or received. */
export function isHttp(attributes: Attributes): boolean {
  return attributes['http.request.method'] !== undefined || attributes['http.method'] !== undefined;
}

function isRpc(attributes: Attributes): boolean {
  return attributes['rpc.system.name'] !== undefined || attributes['rpc.system'] !== undefined;
}

/** The name of an incoming request: its method and the template of its route, never its path. */
export function requestName(method: unknown, route: unknown): string {
  const known = typeof method === 'string' && METHODS.has(method) ? method : 'HTTP';
  return boundedName(`${known} ${typeof route === 'string' && route !== '' ? route : '(unmatched)'}`);
}

/**
 * The low-cardinality name of an operation from its attributes; undefined where they do not contain one (yet).
 * @param statement the summary of its statement, if it has one
 */
export function nameFromAttributes(
  type: OperationType,
  attributes: Attributes,
  statement: string | undefined,
): string | undefined {
  const name = attributeName(type, attributes, statement);
  return name === undefined ? undefined : boundedName(name);
}

/** The name of an operation whose attributes contain none. The name of a database span may contain a statement or a key. */
export function nameWithoutAttributes(type: OperationType, { name, attributes }: ClassifiableSpan): string {
  const isCommand = type === 'database' || type === 'cache' || rawStatement(attributes) !== undefined;
  return boundedName(isCommand ? (firstWord(name) ?? type) : nameWithTemplate(name, templateIn(attributes)));
}

/** What the name of a span ends in, without values: the route of a request, or the pattern of a message of Nest. */
export function templateIn(attributes: Attributes): string | undefined {
  const isOwn = attributes[TYPE_ATTRIBUTE] !== undefined;
  const pattern = isOwn ? (attributes['rpc.method'] ?? attributes['messaging.destination.name']) : undefined;
  const template = attributes['http.route'] ?? pattern;
  return typeof template === 'string' ? template : undefined;
}

function attributeName(
  type: OperationType,
  attributes: Attributes,
  statement: string | undefined,
): string | undefined {
  switch (type) {
    case 'http':
      return requestName(
        attributes['http.request.method'] ?? attributes['http.method'],
        attributes['http.route'],
      );
    case 'external': {
      const method = attributes['http.request.method'] ?? attributes['http.method'];
      const host = attributes['server.address'] ?? attributes['net.peer.name'] ?? attributes['http.host'];
      // A decorated method of this type: it needs the name of its span.
      if (method === undefined && host === undefined) return undefined;
      return `${String(method ?? 'HTTP')} ${host === undefined ? '(unknown host)' : String(host)}`;
    }
    case 'database':
      return databaseName(attributes, statement);
    case 'connection_pool':
      return poolName(attributes);
    case 'cache': {
      const command = attributes['db.operation.name'] ?? attributes['db.operation'];
      return typeof command === 'string' ? firstWord(command)?.toUpperCase() : undefined;
    }
    case 'messaging':
      return joined(
        attributes['messaging.operation.name'] ?? attributes['messaging.operation'],
        ' ',
        attributes['messaging.destination.template'] ?? attributes['messaging.destination.name'],
      );
    case 'rpc':
      return joined(attributes['rpc.service'], '/', attributes['rpc.method']);
    default:
      return undefined;
  }
}

function joined(one: unknown, between: string, other: unknown): string | undefined {
  return one === undefined || other === undefined ? undefined : `${String(one)}${between}${String(other)}`;
}

/** The statement of a database span as its instrumentation recorded it, with its literals. */
export function rawStatement(attributes: Attributes): string | undefined {
  const text = attributes['db.query.text'] ?? attributes['db.statement'];
  return typeof text === 'string' ? text : undefined;
}

/** The statement of a database span if it is SQL, not a command of MongoDB or other JSON. */
export function sqlStatement(attributes: Attributes): string | undefined {
  const text = rawStatement(attributes);
  return text === undefined || isMongo(attributes) || isJson(text) ? undefined : text;
}

/** Whether the database system is classified as a cache. */
export function isCache(attributes: Attributes): boolean {
  return CACHES.has((attributes['db.system.name'] ?? attributes['db.system']) as string);
}

export function isMongo(attributes: Attributes): boolean {
  return attributes['db.system.name'] === 'mongodb' || attributes['db.system'] === 'mongodb';
}

/** The table or collection of a database span. */
export function collectionOf(attributes: Attributes): unknown {
  return (
    attributes['db.collection.name'] ?? attributes['db.mongodb.collection'] ?? attributes['db.sql.table']
  );
}

function databaseName(attributes: Attributes, statement: string | undefined): string | undefined {
  const collection = collectionOf(attributes);
  const operation = attributes['db.operation.name'] ?? attributes['db.operation'];
  if (collection !== undefined && operation !== undefined)
    return `${String(operation)} ${String(collection)}`;
  const summary = attributes['db.query.summary'];
  if (typeof summary === 'string') return summary;
  return statement ?? (operation === undefined ? undefined : String(operation));
}

/** The first word of a name, which may contain a statement or a key. */
function firstWord(name: string): string | undefined {
  const end = name.search(/\s/);
  const word = end < 0 ? name : name.slice(0, end);
  return /^[\w.:/$-]+$/.test(word) ? word : undefined;
}

/** The pool by the database that it connects to. */
function poolName(attributes: Attributes): string {
  const database = attributes['db.namespace'] ?? attributes['db.name'];
  const system = attributes['db.system.name'] ?? attributes['db.system'];
  return `${String(system)} pool${database === undefined ? '' : ` ${String(database)}`}`;
}
