import { withoutCredentials, withoutValues } from '../text/address.js';
import { cachedByText } from '../text/cached-text.js';
import { graphqlWithoutValues } from './graphql-text.js';

/** A name that may contain an address, a statement or a document with values. */
const SUSPECT = /["'`{?#@=]|:\/\//;
/** A document of GraphQL: an operation, and no JSON. */
const DOCUMENT = /^\s{0,8}(?:query|mutation|subscription|fragment)\b[^"'`{]{0,200}\{\s{0,8}(?!["'}\s])/;
/** What begins a value: a quote, or a brace that is none of a template as `/users/{id}`. */
const VALUE = /["'`]|\{(?!(?<=\/[\w.:~{}-]{0,64}\{)[A-Za-z_*][\w.:*-]{0,63}\})/;
const WORD = /\S+/g;
/** There are as many names as operations, each of which is looked up whenever it runs. */
const NAMES = { capacity: 4000, maxText: 200 };

/**
 * The name of a span without values: some instrumentations name spans by an address, a statement or a document of GraphQL.
 * `GET /a?b=c` becomes `GET /a`, `find {"a":1}` becomes `find ?`.
 */
export const nameWithoutValues = cachedByText((name) => {
  if (!SUSPECT.test(name)) return withoutCredentials(name);
  // A word behind a colon is a field of GraphQL, or a value in anything else that looks like it.
  if (DOCUMENT.test(name)) return graphqlWithoutValues(name).replace(/:\s?[A-Za-z_]\w*/g, ': ?');
  const at = name.search(VALUE);
  const shown = at < 0 ? name : `${name.slice(0, at)}?`;
  return withoutCredentials(shown.replace(WORD, wordWithoutValues));
}, NAMES);

/** The same for a name that ends in a template, which contains no values, whatever characters it has. */
export function nameWithTemplate(name: string, template: string | undefined): string {
  if (template === undefined || template === '' || !name.endsWith(template)) return nameWithoutValues(name);
  const before = name.slice(0, -template.length);
  const shown = nameWithoutValues(before);
  return shown === before ? name : shown + template;
}

function wordWithoutValues(word: string): string {
  if (word.includes('://') || word.startsWith('/')) return withoutValues(word) || '?';
  if (/\w@\w/.test(word)) return '?';
  // `Class#method` is no address.
  const end = word.search(word.includes('/') ? /[?#]/ : /\?./);
  const shown = end < 0 ? word : word.slice(0, end);
  return shown.replace(/(?<=[\w\])])=(?![=>]).+/, '=?') || '?';
}
