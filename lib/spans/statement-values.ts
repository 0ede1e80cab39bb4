import { isSecretName } from '../text/secret-names.js';
import type { Dialect } from './statement-dialect.js';

export const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** What precedes a value. */
const COMPARISON = /^(?:[<>!=~][<>!=~*]{0,2}|i?like|rlike|regexp|glob|match|between|escape)$/;
/** What precedes a list of values. */
const LIST = /^(?:in|values?)$/;
/** Words that look like functions, and may take a column. */
const QUANTIFIER = /^(?:any|all|some|exists)$/;
/** What precedes a table. */
const BEFORE_TABLE = /^(?:from|join|into|update|table|only)$/;

const isDoubleQuoted = (token: string | undefined): boolean => token?.startsWith('"') === true;
const isQuotedName = (token: string | undefined): boolean => token !== undefined && /^["`]/.test(token);

/**
 * Replaces the tokens in double quotes that are strings, and gives all names the same quotes. In MySQL double quotes enclose
 * strings. Where they may enclose either, it is better to hide a column than to show a literal: they enclose names if the
 * statement quotes its tables in the same way.
 */
export function hideQuotedValues(tokens: string[], { doubleQuotes }: Dialect): void {
  if (doubleQuotes === 'strings') {
    for (let at = 0; at < tokens.length; at++) if (isDoubleQuoted(tokens[at])) tokens[at] = '?';
    return;
  }
  if (doubleQuotes === 'either' && tokens.some(isQuotedName)) {
    const othersAreNames = tokens.some((token) => token.startsWith('`'));
    if (othersAreNames || !quotesTables(tokens, isDoubleQuoted))
      for (let at = 0; at < tokens.length; at++)
        if (isDoubleQuoted(tokens[at]) && !isPartOfName(tokens, at)) tokens[at] = '?';
    writeNames(tokens, quotesTables(tokens, isQuotedName));
  } else {
    writeNames(tokens, true);
  }
  hideComparedNames(tokens);
}

function isPartOfName(tokens: readonly string[], at: number): boolean {
  const next = tokens[at + 1];
  return next === '.' || next === '(' || tokens[at - 1] === '.';
}

/** Whether a quoted name stands in the place of a table, or is part of a qualified name. */
function quotesTables(tokens: readonly string[], isQuoted: (token: string | undefined) => boolean): boolean {
  /** For each open parenthesis, whether it contains a query: `extract(day from "a")` has no table. */
  const queries: boolean[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string;
    if (token === '(') queries.push(/^(?:select|with|from|\()$/.test(tokens[at + 1] ?? ''));
    else if (token === ')') queries.pop();
    if (!isQuoted(token)) continue;
    const last = tokens[at - 1] ?? '';
    if (last === '.' || tokens[at + 1] === '.') return true;
    if (BEFORE_TABLE.test(last) && queries.at(-1) !== false && tokens[at - 2] !== 'distinct') return true;
  }
  return false;
}

/** Writes names in backticks in double quotes, or without quotes where double quotes would be read as those of a string. */
function writeNames(tokens: string[], areQuoted: boolean): void {
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string;
    if (!token.startsWith('`')) continue;
    const name = token.slice(1, -1);
    if (areQuoted) tokens[at] = `"${name}"`;
    else tokens[at] = /^[\p{L}_][\p{L}\p{N}_$]*$/u.test(name) ? name.toLowerCase() : '?';
  }
}

/** Replaces quoted text in the place of a value, after a comparison or in a list of values. */
function hideComparedNames(tokens: string[]): void {
  /** For each open parenthesis, whether it contains values. */
  const lists: boolean[] = [];
  let betweenValues = false;
  /** The previous token closed a row of values, so that another row may follow. */
  let afterRow = false;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string;
    const last = tokens[at - 1] ?? '';
    const inList = lists.at(-1) === true;
    if (token === '(') {
      const isSubquery = /^(?:select|with)$/.test(tokens[at + 1] ?? '');
      lists.push(!isSubquery && (inList || (afterRow && last === ',') || opensList(tokens, at)));
    } else if (token.startsWith('"') && !isPartOfName(tokens, at)) {
      const isListed = inList && (last === '(' || last === ',');
      if (isListed || COMPARISON.test(last) || (betweenValues && last === 'and')) tokens[at] = '?';
    }
    if (token === ')') afterRow = lists.pop() === true;
    else if (token !== ',') afterRow = false;
    if (last === 'and') betweenValues = false;
    if (token === 'between') betweenValues = true;
  }
}

/** Whether a parenthesis follows `in`, `values`, `=`, or a function behind a comparison as in `= lower(`. */
function opensList(tokens: readonly string[], at: number): boolean {
  const last = tokens[at - 1] ?? '';
  if (LIST.test(last) || COMPARISON.test(last)) return true;
  return /^\w+$/.test(last) && !QUANTIFIER.test(last) && COMPARISON.test(tokens[at - 2] ?? '');
}

const isWord = (token: string | undefined): boolean => token !== undefined && /^["`\p{L}_]/u.test(token);

/** The second words of SET in SQL where no value follows. In Redis, a key does. */
const SETTINGS = words(
  `transaction session local global role authorization names character constraints identity_insert nocount
   ansi_nulls quoted_identifier xact_abort arithabort showplan_all statistics deadlock_priority lock_timeout
   rowcount schema catalog time current path default`,
);
/** What may follow a password that is not quoted. */
const AFTER_PASSWORD = words(
  `; , ) replace default temporary quota profile account password container using on with and require
   enable disable expire old_password must_change check_policy check_expiration discard retain comment
   attribute valid role in host grants settings`,
);
/** What follows the word `password` instead of one. */
const NO_SECRET = words(
  `null expire expired policy for history require reuse lock unlock verify encryption default never
   interval optional current random disable by management`,
);
const ARGUMENT_WORDS = words(
  `output out default null with recompile as user login at immediate using into values select insert update
   delete`,
);

/**
 * Replaces the values that are words without quotes: `SET x = word`, `IDENTIFIED BY word`, `PASSWORD word`,
 * `EXEC procedure word`, `PRAGMA key = word`.
 */
export function hideUnquotedValues(tokens: string[], dialect: Dialect): void {
  let begin = 0;
  for (let at = 0; at <= tokens.length; at++) {
    if (at < tokens.length && tokens[at] !== ';') continue;
    at -= hideIn(tokens, begin, at, dialect);
    begin = at + 1;
  }
}

/** @param end the end of the statement that begins at `begin`. @returns how many tokens were removed */
function hideIn(tokens: string[], begin: number, end: number, dialect: Dialect): number {
  const before = tokens.length;
  switch (tokens[begin]) {
    case 'set':
      hideSetting(tokens, begin, end, dialect);
      break;
    case 'pragma':
      if (/key$/.test(tokens[begin + 1] ?? '')) hide(tokens, begin + 2, end);
      break;
    case 'exec':
    case 'execute':
      if (dialect.unquotedArguments) hideArguments(tokens, begin, end);
      break;
    case 'alter':
    case 'create':
      hideSecrets(tokens, begin, end);
      if (tokens[begin] === 'alter') hideChanged(tokens, begin, end);
      break;
    case 'connect':
    case 'change':
    case 'attach':
    case 'open':
      hideSecrets(tokens, begin, end);
      break;
    default:
  }
  hideIdentified(tokens, begin, end - (before - tokens.length));
  return before - tokens.length;
}

/** Makes one `?` of these tokens. */
function hide(tokens: string[], from: number, to: number): void {
  if (from < to) tokens.splice(from, to - from, '?');
}

function hideSetting(tokens: string[], begin: number, end: number, { isSql }: Dialect): void {
  for (let at = begin + 1; at < end; at++) {
    const token = tokens[at];
    if (token !== '=' && token !== 'to') continue;
    const statement = tokens[begin + 1] === 'statement' ? tokens.indexOf('for', at) : -1;
    hide(tokens, at + 1, statement < 0 || statement > end ? end : statement);
    return;
  }
  // Not SQL but a command of Redis: a key and a value follow.
  if (!isSql && !SETTINGS.has(tokens[begin + 1] ?? '')) hide(tokens, begin + 1, end);
}

/** `ALTER ROLE a SET b = word` */
function hideChanged(tokens: string[], begin: number, end: number): void {
  const set = tokens.indexOf('set', begin);
  if (set < 0) return;
  for (let at = set; at < Math.min(end, tokens.length) - 1; at++)
    if ((tokens[at] === '=' || tokens[at] === 'to') && isWord(tokens[at + 1])) tokens[at + 1] = '?';
}

function hideArguments(tokens: string[], begin: number, end: number): void {
  let at = begin + 1;
  if (tokens[at] === '?' && tokens[at + 1] === '=') at += 2;
  while (tokens[at + 1] === '.') at += 2;
  for (at++; at < end; at++) {
    const token = tokens[at] as string;
    if (isWord(token) && !ARGUMENT_WORDS.has(token)) tokens[at] = '?';
  }
}

/** What a statement creates or changes whose columns may be called `password`. */
const WITH_COLUMNS = /^(?:table|view|index|function|procedure|trigger|type|policy|rule|domain)$/;

/** `CREATE SCHEMA a AUTHORIZATION b` names a role. */
function isSecret(token: string): boolean {
  return isSecretName(token) && token !== 'authorization';
}

function hideSecrets(tokens: string[], begin: number, end: number): void {
  for (let at = begin + 1; at < begin + 5; at++) if (WITH_COLUMNS.test(tokens[at] ?? '')) return;
  for (let at = begin + 1; at < end; at++) {
    const token = tokens[at] as string;
    if (!isSecret(token) && !(token === 'key' && tokens[begin] === 'attach')) continue;
    const isAssigned = tokens[at + 1] === '=' || tokens[at + 1] === 'to';
    // `IDENTIFIED WITH sha256_password`
    if (tokens[at - 2] === 'identified') continue;
    // `CREATE CREDENTIAL name`
    if (!isAssigned && at < begin + 4 && token !== 'password') continue;
    const value = isAssigned ? at + 2 : at + 1;
    if (value < end && isWord(tokens[value]) && !NO_SECRET.has(tokens[value] as string)) tokens[value] = '?';
  }
}

/** `IDENTIFIED BY word`, `IDENTIFIED WITH plugin BY word REPLACE word` */
function hideIdentified(tokens: string[], begin: number, end: number): void {
  let last = end;
  for (let at = begin; at < last; at++) {
    if (tokens[at] !== 'identified') continue;
    let by = at + 1;
    if (tokens[by] === 'with' || tokens[by] === 'via') by += 2;
    while (/^(?:by|as|using|password|values|replace)$/.test(tokens[by] ?? '')) {
      for (by++; /^(?:values?|password)$/.test(tokens[by] ?? ''); ) by++;
      let close = by;
      while (close < last && !AFTER_PASSWORD.has(tokens[close] as string)) close++;
      last -= Math.max(0, close - by - 1);
      hide(tokens, by, close);
      by++;
    }
  }
}
