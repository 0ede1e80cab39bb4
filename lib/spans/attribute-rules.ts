import { isIP } from 'node:net';
import type { Attributes } from '@opentelemetry/api';
import { connectionWithoutValues, originOf, withoutCredentials, withoutValues } from '../text/address.js';
import { cachedByText } from '../text/cached-text.js';
import { errorType, errorWithoutValues, stackWithoutValues } from '../text/error-text.js';
import { isSecretName } from '../text/secret-names.js';
import { hasSecretPaths } from '../text/secret-paths.js';
import { isCache, isMongo } from './classify.js';
import { graphqlWithoutValues } from './graphql-text.js';
import type { SpanDescription } from './span-description.js';
import type { StatementCache } from './statement.js';
import { dialectOf } from './statement-dialect.js';
import { isJson } from './statement-tokens.js';

/** What becomes of the value of an attribute. A value that it returns unchanged is kept. */
export type Rule = (value: string, of: Redaction, attributes: Attributes) => string;

/** Never called. */
export const KEPT: Rule = (value) => value;
export const HIDDEN: Rule = (value) => (value === '' ? value : '?');
const ADDRESS: Rule = (value, of) => of.address(value);
const STATEMENT: Rule = (value, of) => of.statement(value);
const NAME: Rule = (value, of) =>
  !of.isCache && /^[\w.:+/ -]{1,64}$/.test(value) ? value : firstWord(value);
const IP: Rule = (value) => (isIP(value) > 0 ? value : '?');
const CONNECTION: Rule = (value) => connectionWithoutValues(value);
const ERROR: Rule = (value) => errorWithoutValues(value);
const TYPE: Rule = (value) => errorType(value);
const STACK: Rule = (value, _of, { 'exception.message': message }) =>
  stackWithoutValues(value, typeof message === 'string' ? message : undefined);
const GRAPHQL: Rule = (value) => graphqlWithoutValues(value);
/** Of attributes that are not known: addresses and secrets within their values. */
const OTHER: Rule = cachedByText(withoutCredentials);
const addressWithoutValues = cachedByText(withoutValues);

const RULES = new Map<string, Rule>();
const setRule = (rule: Rule, keys: string): void => {
  for (const key of keys.trim().split(/\s+/)) RULES.set(key, rule);
};
setRule(STATEMENT, 'db.query.text db.statement db.sql sql sql.query db.query query statement');
setRule(NAME, 'db.operation.name db.operation db.query.summary');
setRule(ADDRESS, 'url.full http.url http.target url.path url.original url http.path http.uri http.referer');
setRule(
  HIDDEN,
  `url.query url.fragment http.query db.postgresql.values db.user user_agent.original http.user_agent
   messaging.kafka.message.key messaging.kafka.message_key messaging.message.body messaging.message.payload
   messaging.payload messaging.body http.request.body http.response.body rpc.request.body rpc.response.body
   graphql.variables enduser.credential`,
);
setRule(IP, 'client.address http.client_ip');
setRule(CONNECTION, 'db.connection_string messaging.url db.url');
setRule(ERROR, 'exception.message error.message otel.status_description db.response.message');
setRule(TYPE, 'exception.type error.type');
setRule(STACK, 'exception.stacktrace');
setRule(GRAPHQL, 'graphql.source graphql.document graphql.query');
// Names, numbers and codes by the semantic conventions.
setRule(
  KEPT,
  `http.request.method http.method http.route http.scheme http.flavor http.host url.scheme server.address server.port
   network.transport network.protocol.name network.protocol.version network.peer.address network.peer.port net.peer.name
   net.peer.port net.peer.ip net.transport net.host.name net.host.port db.system db.system.name db.namespace db.name
   db.collection.name http.response.status_code http.status_code http.status_text code.function.name`,
);
const HIDDEN_PREFIX =
  /^(?:db\.(?:query|operation|statement)\.parameter|db\.elasticsearch\.path_parts|http\.(?:request|response)\.(?:header|body\.(?!size)|cookie)|rpc\.(?:\w+\.)?(?:request|response)\.(?:metadata|header)|rpc\.(?:\w+\.)?metadata|messaging\.(?:\w+\.)*headers?|graphql\.variables|baggage)(?:\.|$|\w)/;
const OWN = /^performance\./;

/** The rules of further keys. The table is bounded: keys of attributes are few, unless they contain values. */
const MAX_RULES = 2000;

/** The rule of an attribute. */
export function ruleOf(key: string): Rule {
  return RULES.get(key) ?? addRule(key);
}

function addRule(key: string): Rule {
  const rule = HIDDEN_PREFIX.test(key) || isSecretName(key) ? HIDDEN : OWN.test(key) ? KEPT : OTHER;
  if (RULES.size < MAX_RULES) RULES.set(key, rule);
  return rule;
}

/** What the values of one span depend on. */
export class Redaction {
  constructor(
    readonly attributes: Attributes,
    private readonly statements: StatementCache,
    private readonly description: SpanDescription | undefined,
  ) {}

  get isCache(): boolean {
    return isCache(this.attributes);
  }

  /** An address, or a path on the host of the span. */
  address(text: string): string {
    const isPath = text.length > 1 && !text.includes('//');
    if (!isPath) return addressWithoutValues(text);
    // Not from the cache: paths repeat less often than addresses, and cost less.
    const { host } = this;
    return host !== '' && hasSecretPaths(host) ? '/?' : withoutValues(text);
  }

  private get host(): string {
    const { attributes } = this;
    const host =
      attributes['server.address'] ??
      attributes['net.peer.name'] ??
      attributes['http.host'] ??
      attributes['url.domain'];
    return host === undefined ? hostOf(attributes['url.full'] ?? attributes['http.url']) : String(host);
  }

  statement(text: string): string {
    const known = this.description?.statement;
    if (known !== undefined && text === known.raw) return known.text;
    if (this.isCache) return withoutArguments(text);
    if (isMongo(this.attributes) && !isJson(text)) return '?';
    return this.statements.get(text, dialectOf(this.attributes)).text;
  }
}

function hostOf(address: unknown): string {
  return typeof address === 'string' ? originOf(address).replace(/^.*\/\//, '') : '';
}

/** A cache command without its key and values: `SET ?`. */
function withoutArguments(command: string): string {
  const word = firstWord(command);
  return word.length === command.length ? word : `${word} ?`;
}

/** The first word of a statement or a name, or `?` if it may be a value. */
export function firstWord(text: string): string {
  const word = /^[A-Za-z][\w.:|-]{0,63}(?!\S)/.exec(text)?.[0];
  return word ?? '?';
}
