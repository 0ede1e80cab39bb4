import { tokenize } from './statement-tokens.js';
import { words } from './statement-values.js';

const VERBS = words(
  `select insert update delete merge replace begin start commit rollback savepoint release create alter
   drop truncate call exec execute set show explain with lock copy listen notify vacuum analyze grant
   revoke declare fetch move close values refresh use prepare deallocate abort attach backup bulk change check
   checkpoint cluster comment connect deny desc describe detach discard do end export flush handler if import
   install kill load open optimize pragma print purge reassign reindex rename repair reset restore security
   shutdown signal table unload unlisten unlock upsert vacuum waitfor while xa apply assert if for foreach
   batch`,
);

/**
 * The low-cardinality name of a statement: its verb and its first table, `SELECT users`. The verb of a statement
 * that begins with WITH is that of its main part. A text that begins with no verb of SQL is `SQL`.
 */
export function summarizeStatement(text: string): string {
  return summarizeTokens(tokenize(text));
}

/** Whether a statement begins with a verb of SQL. */
export function beginsWithVerb(tokens: readonly string[]): boolean {
  let first = 0;
  while (tokens[first] === '(') first++;
  return tokens.length === 0 || VERBS.has(tokens[first] as string);
}

/** The same for a statement that is split into tokens. */
export function summarizeTokens(tokens: readonly string[]): string {
  let first = 0;
  while (tokens[first] === '(') first++;
  const begin = tokens[first] === 'with' ? mainVerb(tokens, first) : first;
  const verb = tokens[begin] ?? '';
  if (!VERBS.has(verb)) return 'SQL';
  const table = tableOf(tokens, begin, verb);
  return table === undefined ? verb.toUpperCase() : `${verb.toUpperCase()} ${table}`;
}

/** The verb after the common table expressions: the first one outside of parentheses. */
function mainVerb(tokens: readonly string[], first: number): number {
  let depth = 0;
  for (let i = first + 1; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (depth === 0 && /^(?:select|insert|update|delete|merge)$/.test(token ?? '')) return i;
  }
  return first;
}

function tableOf(tokens: readonly string[], begin: number, verb: string): string | undefined {
  switch (verb) {
    case 'select':
    case 'delete': {
      const from = fromOf(tokens, begin);
      return from < 0 ? undefined : nameAt(tokens, from + 1);
    }
    case 'insert':
    case 'replace':
    case 'merge': {
      const into = tokens.indexOf('into', begin);
      return into < 0 ? nameAt(tokens, begin + 1) : nameAt(tokens, into + 1);
    }
    case 'update':
    case 'call':
    case 'exec':
    case 'truncate':
    case 'copy':
    case 'refresh':
      return nameAt(tokens, begin + 1);
    default:
      return undefined;
  }
}

/** The FROM of the query itself, not that of a subquery in its columns or of `extract(x from y)`. */
function fromOf(tokens: readonly string[], begin: number): number {
  let depth = 0;
  for (let i = begin; i < tokens.length; i++) {
    if (tokens[i] === '(') depth++;
    else if (tokens[i] === ')') depth--;
    else if (tokens[i] === 'from' && depth <= 0) return i;
  }
  return -1;
}

/** Words between a verb and its table. */
const NOISE = words(`only table lateral ignore low_priority or materialized view concurrently`);

function nameAt(tokens: readonly string[], index: number): string | undefined {
  let at = index;
  while (tokens[at] === '(' || NOISE.has(tokens[at] ?? '')) at++;
  if (tokens[at] === 'select') return nameAt(tokens, fromOf(tokens, at) + 1 || tokens.length);
  // The last part of a qualified name is the table.
  while (tokens[at + 1] === '.' && tokens[at + 2] !== undefined) at += 2;
  const token = tokens[at];
  if (token === undefined || token === '?' || !/^["`\p{L}_]/u.test(token)) return undefined;
  return token.replace(/["`]/g, '').slice(0, 64);
}
