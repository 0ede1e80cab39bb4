/** Characters of a statement that are read. Its tables stand at the beginning, and no view shows more. */
const MAX_SCANNED = 8192;

// Character codes: comparing numbers is faster than comparing one-character strings.
const DOUBLE_QUOTE = 34;
const DOLLAR = 36;
const QUOTE = 39;
const ASTERISK = 42;
const PLUS = 43;
const MINUS = 45;
const DOT = 46;
const SLASH = 47;
const COLON = 58;
const AT = 64;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const UNDERSCORE = 95;
const BACKTICK = 96;
const OPEN_BRACE = 123;

export const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isWordStart = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === UNDERSCORE || code > 127;
const isWordPart = (code: number): boolean => isWordStart(code) || isDigit(code) || code === DOLLAR;
const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

/** Quoted text that looks like a name: words, and what joins them. */
const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_$ .-]{0,63}$/u;
/** A prefix of a string: E'..', N'..', B'..', X'..', U&'..', _utf8'..'. */
const STRING_PREFIX = /^(?:[ENBX]|U&|_[A-Z0-9]+)$/i;

/** Whether a text is JSON and not SQL: a command of MongoDB, a search of Elasticsearch. */
export function isJson(text: string): boolean {
  // Called for each span: faster than a regular expression.
  let at = 0;
  while (isSpace(text.charCodeAt(at))) at++;
  const code = text.charCodeAt(at);
  return code === OPEN_BRACE || code === OPEN_BRACKET;
}

/**
 * Splits a statement into tokens in one pass. Every literal and bound value becomes `?`, quoted names get double quotes,
 * words are in lower case, comments and white space are dropped. Handles doubled and escaped quotes, dollar quoting,
 * nested comments, and truncated statements: an open quote makes the rest a literal.
 */
export function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const end = Math.min(text.length, MAX_SCANNED);
  /** The tokens in double quotes: strings, if the statement quotes its names with backticks. */
  const doubleQuoted: number[] = [];
  let hasBacktickNames = false;
  let at = 0;
  while (at < end) {
    const code = text.charCodeAt(at);
    const next = text.charCodeAt(at + 1);
    if (isSpace(code)) {
      at++;
    } else if (code === MINUS && next === MINUS) {
      at = lineEnd(text, at, end);
    } else if (code === SLASH && next === ASTERISK) {
      at = commentEnd(text, at, end);
    } else if (code === QUOTE) {
      if (STRING_PREFIX.test(tokens.at(-1) ?? '') && !isSpace(text.charCodeAt(at - 1))) tokens.pop();
      tokens.push('?');
      at = quoteEnd(text, at, end, QUOTE);
    } else if (code === DOUBLE_QUOTE || code === BACKTICK) {
      const close = quoteEnd(text, at, end, code);
      const isClosed = text.charCodeAt(close - 1) === code && close - at > 1;
      const name = text.slice(at + 1, close - 1);
      if (code === DOUBLE_QUOTE) doubleQuoted.push(tokens.length);
      else hasBacktickNames ||= isClosed;
      tokens.push(isClosed && IDENTIFIER.test(name) ? `"${name}"` : '?');
      at = close;
    } else if (code === OPEN_BRACKET && IDENTIFIER.test(bracketed(text, at, end))) {
      const name = bracketed(text, at, end);
      tokens.push(`"${name}"`);
      at += name.length + 2;
    } else if (code === DOLLAR && !isDigit(next)) {
      const close = dollarQuoteEnd(text, at, end);
      if (close > at) tokens.push('?');
      at = Math.max(close, at + 1);
    } else if (code === COLON && next === COLON) {
      tokens.push('::');
      at += 2;
    } else if (isParameter(code, next)) {
      tokens.push('?');
      at = wordEnd(text, at, end);
    } else if (isDigit(code) || (code === DOT && isDigit(next))) {
      tokens.push('?');
      at = numberEnd(text, at, end);
    } else if (isWordStart(code)) {
      const close = wordEnd(text, at, end);
      tokens.push(text.slice(at, close).toLowerCase());
      at = close;
    } else {
      const operator = operatorAt(text, at, end);
      tokens.push(operator);
      at += operator.length;
    }
  }
  if (hasBacktickNames)
    for (const index of doubleQuoted) if (!isPartOfName(tokens, index)) tokens[index] = '?';
  replaceQuotedValues(tokens);
  return tokens;
}

/** What precedes a value. */
const COMPARISON = /^(?:[<>!=~][<>!=~*]{0,2}|i?like|rlike|regexp|glob|match|between|escape)$/;
/** What precedes a list of values. */
const LIST = /^(?:in|values?)$/;
/** Words that look like functions, and may take a column. */
const QUANTIFIER = /^(?:any|all|some|exists)$/;

function isPartOfName(tokens: readonly string[], at: number): boolean {
  const next = tokens[at + 1];
  return next === '.' || next === '(' || tokens[at - 1] === '.';
}

/**
 * Replaces double-quoted text in the place of a value, after a comparison or in a list of values: MySQL and
 * SQLite quote strings that way. It is better to hide a column than to show a literal.
 */
function replaceQuotedValues(tokens: string[]): void {
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

/** Whether a bound value begins: `$1`, `@name`, `:name`, `:1`. */
function isParameter(code: number, next: number): boolean {
  return (
    (code === DOLLAR && isDigit(next)) ||
    (code === AT && isWordStart(next)) ||
    (code === COLON && (isWordStart(next) || isDigit(next)))
  );
}

function isOperator(code: number): boolean {
  return '<=>!|&~#@-/*%+^?'.includes(String.fromCharCode(code));
}

/** An operator of up to three characters, or any other single character. */
function operatorAt(text: string, at: number, end: number): string {
  let close = at + 1;
  if (isOperator(text.charCodeAt(at))) {
    const last = Math.min(end, at + 3);
    while (close < last && isOperator(text.charCodeAt(close)) && !isNamedParameter(text, close)) close++;
  }
  // A comment may begin right behind an operator.
  return text.slice(at, close).replace(/(?:--|\/\*).*$/s, '') || text.slice(at, at + 1);
}

/** In `=@name`, the operator ends before the bound value. */
function isNamedParameter(text: string, at: number): boolean {
  return text.charCodeAt(at) === AT && isWordStart(text.charCodeAt(at + 1));
}

function lineEnd(text: string, at: number, end: number): number {
  const newline = text.indexOf('\n', at);
  return newline < 0 || newline >= end ? end : newline + 1;
}

function commentEnd(text: string, at: number, end: number): number {
  let depth = 0;
  for (let i = at; i < end; i++) {
    if (text.startsWith('/*', i)) {
      depth++;
      i++;
    } else if (text.startsWith('*/', i)) {
      depth--;
      i++;
      if (depth === 0) return i + 1;
    }
  }
  return end;
}

function quoteEnd(text: string, at: number, end: number, quote: number): number {
  for (let i = at + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    // A backslash escapes in MySQL and in E'..'. Treated so everywhere, so that no literal is shown.
    if (code === BACKSLASH && quote !== BACKTICK) i++;
    else if (code === quote) {
      if (text.charCodeAt(i + 1) !== quote) return i + 1;
      i++;
    }
  }
  return end;
}

function bracketed(text: string, at: number, end: number): string {
  const close = text.indexOf(']', at);
  return close < 0 || close >= end || close - at > 66 ? '' : text.slice(at + 1, close);
}

/** The end of `$tag$ .. $tag$`, or `at` where no tag begins. */
function dollarQuoteEnd(text: string, at: number, end: number): number {
  let close = at + 1;
  while (close < end && isWordPart(text.charCodeAt(close)) && text.charCodeAt(close) !== DOLLAR) close++;
  if (text.charCodeAt(close) !== DOLLAR) return at;
  const tag = text.slice(at, close + 1);
  const found = text.indexOf(tag, close + 1);
  return found < 0 ? end : Math.min(end, found + tag.length);
}

function wordEnd(text: string, at: number, end: number): number {
  let close = at + 1;
  while (close < end && isWordPart(text.charCodeAt(close))) close++;
  return close;
}

function numberEnd(text: string, at: number, end: number): number {
  const isHex = /^0x/i.test(text.slice(at, at + 2));
  let close = at + 1;
  while (close < end) {
    const code = text.charCodeAt(close);
    const isSign = code === PLUS || code === MINUS;
    const isExponentSign = isSign && !isHex && /[eE]/.test(text[close - 1] ?? '');
    if (!isWordPart(code) && code !== DOT && !isExponentSign) break;
    close++;
  }
  return close;
}
