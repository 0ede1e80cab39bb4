import { isCache, isMongo, rawStatement } from './classify.js';
import type { SdkSpan } from './sdk-span.js';
import type { KnownStatement, StatementCache } from './statement.js';
import { isJson } from './statement-tokens.js';

const STATEMENTS = ['db.query.text', 'db.statement'] as const;
const ADDRESSES = ['url.full', 'http.url', 'http.target'] as const;

/**
 * Removes the literals of statements and the query strings of addresses from a span. It must not have ended.
 * @param known its statement, if its description has one
 */
export function redact(span: SdkSpan, statements: StatementCache, known?: KnownStatement): void {
  const { attributes } = span;
  if (rawStatement(attributes) !== undefined) {
    const mongo = isMongo(attributes);
    const cache = isCache(attributes);
    for (const key of STATEMENTS) {
      const text = attributes[key];
      // Written directly: the key exists, and `setAttribute` would validate it once more.
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

/** A cache command without its key and values: `SET ?`. */
function withoutArguments(command: string): string {
  const end = command.search(/\s/);
  return end < 0 ? command : `${command.slice(0, end)} ?`;
}

/** An address without user, query string and fragment. */
function withoutQuery(address: string): string {
  const end = address.search(/[?#]/);
  const short = end < 0 ? address : address.slice(0, end);
  return short.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1');
}
