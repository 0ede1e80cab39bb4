import {
  ASTERISK,
  AT,
  BACKTICK,
  bracketEnd,
  CLOSE_BRACKET,
  COLON,
  commentEnd,
  DOLLAR,
  DOT,
  DOUBLE_QUOTE,
  dollarQuoteEnd,
  escapesIn,
  HASH,
  isDigit,
  isSpace,
  isWordPart,
  isWordStart,
  LOWER_P,
  lineEnd,
  MINUS,
  numberEnd,
  OPEN_BRACE,
  OPEN_BRACKET,
  operatorAt,
  optionsEnd,
  QUOTE,
  quoteEnd,
  SLASH,
  stringEnd,
  tripleEnd,
  uuidEnd,
  wordEnd,
} from './lexemes.js';
import { AMBIGUOUS, type Dialect, READINGS, UNKNOWN } from './statement-dialect.js';
import { hideQuotedValues, hideUnquotedValues } from './statement-values.js';

/** Characters of a statement that are read. Its tables stand at the beginning, and no view shows more. */
const MAX_SCANNED = 8192;

/** Quoted text that looks like a name: words, and what joins them. */
const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_$ .-]{0,63}$/u;
/** A prefix of a string: E'..', N'..', B'..', X'..', U&'..', _utf8'..', r'..', rb'..', q'..', nq'..'. */
const STRING_PREFIX = /^(?:[enbxr]|rb|br|n?q|_[a-z0-9]+)$/;
/** The formats of ClickHouse, after which the data follows. */
const DATA_FORMAT =
  /^(?:csv|tsv|tskv|json|tabseparated|customseparated|rowbinary|native|template|lineasstring)/;
/** Whether a text is JSON and not SQL: a command of MongoDB, a search of Elasticsearch. */
export function isJson(text: string): boolean {
  // Called for each span: faster than a regular expression.
  let at = 0;
  while (isSpace(text.charCodeAt(at))) at++;
  const code = text.charCodeAt(at);
  return code === OPEN_BRACE || code === OPEN_BRACKET;
}

/**
 * Splits a statement into tokens. Every literal and bound value becomes `?`, quoted names get double quotes (backticks where
 * double quotes enclose strings), words are in lower case, comments and white space are dropped. Handles doubled and escaped
 * quotes, dollar quoting, nested comments, and truncated statements: an open quote makes the rest a literal.
 *
 * Where it is not certain how the server reads a text, what any possible reading holds for a literal becomes `?`.
 */
export function tokenize(text: string, dialect: Dialect = UNKNOWN): string[] {
  return readStatement(text, dialect).tokens;
}

/** A statement that is split into tokens. */
export interface StatementTokens {
  readonly tokens: string[];
  /** It has bound values, or may have some: in one of its readings, or behind the characters that are read. */
  readonly isBound: boolean;
}

/** The same as {@link tokenize}, and whether it has bound values. */
export function readStatement(text: string, dialect: Dialect): StatementTokens {
  const { tokens, isBound } = readingOf(text, dialect);
  hideQuotedValues(tokens, dialect);
  hideUnquotedValues(tokens, dialect);
  return { tokens, isBound: isBound || BOUND.test(text.slice(MAX_SCANNED, MAX_SEARCHED)) };
}

/** Characters in which bound values are searched. */
const MAX_SEARCHED = 10_000;
/** What may be a bound value: `$1`, `?`, `:name`, `@name`. */
const BOUND = /\$\d|\?|(?<![:\w]):\w|@\w/i;

function readingOf(text: string, dialect: Dialect): StatementTokens {
  if (dialect === UNKNOWN) {
    if (!AMBIGUOUS.test(text.slice(0, MAX_SCANNED))) return read(text, dialect);
    const readings = READINGS.map((each) => read(text, each));
    const plausible = readings.filter(({ isDoubtful }) => !isDoubtful);
    return agreed(plausible.length > 0 ? plausible : readings);
  }
  const reading = read(text, dialect);
  if (dialect.otherwise === undefined || !reading.isDoubtful || !/\\['"]/.test(text)) return reading;
  return agreed([reading, read(text, dialect.otherwise)]);
}

/** One reading of a statement. */
interface Reading extends StatementTokens {
  /** Where each token begins. */
  readonly starts: number[];
  /** A string, a name or a comment is not closed, or a string touches a word: it may begin or end elsewhere. */
  readonly isDoubtful: boolean;
}

/** The tokens that all readings have at the same place. What only some have becomes `?`. */
function agreed(readings: readonly Reading[]): Reading {
  return readings.reduce((one, other) => {
    const tokens: string[] = [];
    const starts: number[] = [];
    let from = 0;
    for (let at = 0; at < one.tokens.length; at++) {
      const start = one.starts[at] as number;
      while ((other.starts[from] ?? Number.POSITIVE_INFINITY) < start) from++;
      const isSame = other.starts[from] === start && other.tokens[from] === one.tokens[at];
      if (!isSame && tokens.at(-1) === '?') continue;
      tokens.push(isSame ? (one.tokens[at] as string) : '?');
      starts.push(start);
    }
    return { tokens, starts, isBound: one.isBound || other.isBound, isDoubtful: false };
  });
}

/** Reads a statement in one pass. Names keep the kind of their quotes, `"a"` or `` `a` ``. */
function read(text: string, dialect: Dialect): Reading {
  const tokens: string[] = [];
  const starts: number[] = [];
  let end = Math.min(text.length, MAX_SCANNED);
  let isDoubtful = false;
  let isBound = false;
  let at = 0;
  while (at < end) {
    const code = text.charCodeAt(at);
    const next = text.charCodeAt(at + 1);
    const start = at;
    let token: string | undefined;
    if (isSpace(code)) {
      at++;
    } else if (isLineComment(dialect, code, next, text.charCodeAt(at + 2))) {
      at = lineEnd(text, at, end);
    } else if (code === SLASH && next === ASTERISK) {
      at = commentEnd(text, at, end, dialect.nestedComments);
      isDoubtful ||= !text.startsWith('*/', at - 2);
    } else if (code === QUOTE) {
      const prefix = prefixOf(text, tokens, starts, at);
      if (prefix !== '') {
        tokens.pop();
        starts.pop();
      }
      token = '?';
      at = stringEnd(text, at, end, dialect, prefix);
      isDoubtful ||= touchesWord(text, start, at, prefix);
    } else if (code === DOUBLE_QUOTE || code === BACKTICK) {
      const isTriple = dialect.tripleQuotes && code === DOUBLE_QUOTE && text.startsWith('"""', at);
      at = isTriple ? tripleEnd(text, at, end) : quoteEnd(text, at, end, code, escapesIn(dialect, code));
      const isClosed = !isTriple && text.charCodeAt(at - 1) === code && at - start > 1;
      const name = text.slice(start + 1, at - 1);
      const quote = code === BACKTICK ? '`' : '"';
      token = isClosed && isName(name) ? quote + name + quote : '?';
      isDoubtful ||= text.charCodeAt(at - 1) !== code || at - start < 2;
    } else if (code === OPEN_BRACKET && dialect.brackets !== 'operators') {
      const close = bracketEnd(text, at, end);
      const isClosed = text.charCodeAt(close - 1) === CLOSE_BRACKET;
      const name = text.slice(at + 1, close - 1);
      if (isClosed && isName(name)) token = `\`${name}\``;
      else token = dialect.brackets === 'names' ? '?' : '[';
      isDoubtful ||= dialect.brackets === 'names' && !isClosed;
      at = token === '[' ? at + 1 : close;
    } else if (code === DOLLAR && !isDigit(next)) {
      const close = dollarQuoteEnd(text, at, end);
      if (close > at) token = '?';
      at = Math.max(close, at + 1);
    } else if (code === COLON && next === COLON) {
      token = '::';
      at += 2;
    } else if (isParameter(code, next)) {
      token = '?';
      // `a[1:2]` is a slice.
      isBound ||= code !== COLON || !isWordPart(text.charCodeAt(at - 1));
      at = wordEnd(text, at, end);
    } else if (isDigit(code) || (code === DOT && isDigit(next))) {
      token = '?';
      at = uuidEnd(text, at) ?? numberEnd(text, at, end);
    } else if (isWordStart(code)) {
      at = wordEnd(text, at, end);
      token = text.slice(start, at).toLowerCase();
      const uuid = at - start === 8 && text.charCodeAt(at) === MINUS ? uuidEnd(text, start) : undefined;
      if (uuid !== undefined || isUnquotedLiteral(token)) token = '?';
      if (uuid !== undefined) at = Math.min(end, uuid);
      if (beginsData(tokens, token)) end = token === 'stdin' ? optionsEnd(text, at, end) : at;
    } else {
      token = operatorAt(text, at, end);
      isBound ||= token.includes('?');
      at += token.length;
    }
    if (token === undefined) continue;
    tokens.push(token);
    starts.push(start);
  }
  return { tokens, starts, isBound, isDoubtful };
}

function isLineComment(dialect: Dialect, code: number, next: number, third: number): boolean {
  if (code === MINUS) return next === MINUS && (!dialect.spacedDashes || Number.isNaN(third) || third <= 32);
  if (code === HASH) return dialect.hashComments;
  return code === SLASH && next === SLASH && dialect.slashComments;
}

/** The prefix of the string that begins here, such as `e`, `n` or `u&`; empty for none. */
function prefixOf(text: string, tokens: string[], starts: number[], at: number): string {
  const last = tokens.at(-1);
  if (last === undefined) return '';
  if (last === '&' && tokens.at(-2) === 'u' && starts.at(-2) === at - 2) {
    tokens.pop();
    starts.pop();
    return 'u&';
  }
  return STRING_PREFIX.test(last) && !isSpace(text.charCodeAt(at - 1)) ? last : '';
}

/** Whether a string is not closed or touches a word. */
function touchesWord(text: string, start: number, end: number, prefix: string): boolean {
  const isClosed = text.charCodeAt(end - 1) === QUOTE && end - start > 1;
  const before = start - 1;
  return (
    !isClosed ||
    isWordPart(text.charCodeAt(end)) ||
    (prefix === '' && before >= 0 && isWordPart(text.charCodeAt(before)))
  );
}

/** Whether quoted text is a name. One that is a value without its quotes would be read as that later. */
function isName(text: string): boolean {
  return IDENTIFIER.test(text) && !isUnquotedLiteral(text.toLowerCase());
}

/** Whether a word is an amount of money, `£5`, or a duration, `P1Y2M`. */
function isUnquotedLiteral(word: string): boolean {
  const code = word.charCodeAt(0);
  return code === LOWER_P ? /^p(?:t?\d+[ymwdhs])+t?\d*$/.test(word) : code > 127 && /^\p{Sc}/u.test(word);
}

/** Whether the values of a statement follow as data, without quotes: `COPY t FROM stdin`, `INSERT INTO t FORMAT CSV`. */
function beginsData(tokens: readonly string[], word: string): boolean {
  const last = tokens.at(-1);
  if (last === 'from' && word === 'stdin') return true;
  return last === 'format' && DATA_FORMAT.test(word) && tokens.includes('insert');
}

/** Whether a bound value begins: `$1`, `@name`, `:name`, `:1`. */
function isParameter(code: number, next: number): boolean {
  return (
    (code === DOLLAR && isDigit(next)) ||
    (code === AT && isWordStart(next)) ||
    (code === COLON && (isWordStart(next) || isDigit(next)))
  );
}
