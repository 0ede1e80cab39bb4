import { isCache, isMongo, rawStatement } from './classify.js';
import type { SdkSpan } from './sdk-span.js';
import type { KnownStatement, StatementCache } from './statement.js';
import { isJson } from './statement-tokens.js';

const STATEMENTS = ['db.query.text', 'db.statement'] as const;
const ADDRESSES = ['url.full', 'http.url', 'http.target'] as const;

/**
 * Removes the literals of statements and the query strings of addresses from a span that can still be written.
 * @param known its statement, where it was described
 */
export function redact(span: SdkSpan, statements: StatementCache, known?: KnownStatement): void {
  const { attributes } = span;
  if (rawStatement(attributes) !== undefined) {
    const mongo = isMongo(attributes);
    const cache = isCache(attributes);
    for (const key of STATEMENTS) {
      const text = attributes[key];
      // Written in place: the key is there already, and `setAttribute` would check what is known.
      if (typeof text !== 'string') continue;
      if (cache) attributes[key] = withoutArguments(text);
      else if (text === known?.raw) attributes[key] = known.text;
      else attributes[key] = mongo && !isJson(text) ? '?' : statements.get(text).text;
    }
  }
  if (attributes['db.postgresql.values'] !== undefined) span.setAttribute('db.postgresql.values', '?');
  for (const key of ADDRESSES) {
    const address = attributes[key];
    if (typeof address === 'string') span.setAttribute(key, withoutQuery(address));
  }
  const query = attributes['url.query'];
  if (typeof query === 'string' && query !== '') span.setAttribute('url.query', '?');
}

/** A command of a cache without its key and values: `SET ?`. */
function withoutArguments(command: string): string {
  const end = command.search(/\s/);
  return end < 0 ? command : `${command.slice(0, end)} ?`;
}

/** An address without its user, its query string and its fragment. */
function withoutQuery(address: string): string {
  const end = address.search(/[?#]/);
  const short = end < 0 ? address : address.slice(0, end);
  return short.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1');
}
