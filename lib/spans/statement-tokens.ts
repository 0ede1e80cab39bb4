/** The longest text that is kept of a statement. */
export const MAX_TEXT = 2048;
/** What is looked at of a statement; what follows is of no use in a view, and a name is found in its beginning. */
const MAX_SCANNED = 8192;

export const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isWordStart = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code > 127;
const isWordPart = (code: number): boolean => isWordStart(code) || isDigit(code) || code === 36;
const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

/** A quoted name as far as it can be told by itself: words and what joins them. */
const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_$ .-]{0,63}$/u;

/** Whether a text is no SQL but JSON: a command of MongoDB, a search of Elasticsearch. */
export function isJson(text: string): boolean {
  // Asked for each span: quicker than a regular expression.
  let at = 0;
  while (isSpace(text.charCodeAt(at))) at++;
  const code = text.charCodeAt(at);
  return code === 123 || code === 91;
}

/**
 * Splits a statement into tokens in one pass: every literal becomes `?`, comments and white space go. Handles quotes
 * doubled and escaped, dollar quoting, nested comments and statements that break off: what an open quote swallows
 * is taken as a literal.
 */
export function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const end = Math.min(text.length, MAX_SCANNED);
  /** Where something stands in double quotes; and whether names are quoted otherwise, so that these are strings. */
  const quoted: number[] = [];
  let backQuotes = false;
  let at = 0;
  while (at < end) {
    const code = text.charCodeAt(at);
    const next = text.charCodeAt(at + 1);
    if (isSpace(code)) {
      at++;
    } else if (code === 45 && next === 45) {
      at = lineEnd(text, at, end);
    } else if (code === 47 && next === 42) {
      at = commentEnd(text, at, end);
    } else if (code === 39) {
      // A prefix belongs to the string: E'..', N'..', B'..', X'..', U&'..'.
      if (/^(?:[ENBX]|U&|_[A-Z0-9]+)$/i.test(tokens.at(-1) ?? '') && !isSpace(text.charCodeAt(at - 1)))
        tokens.pop();
      at = quoteEnd(text, at, end, 39);
      tokens.push('?');
    } else if (code === 34 || code === 96) {
      const close = quoteEnd(text, at, end, code);
      const closed = text.charCodeAt(close - 1) === code && close - at > 1;
      const name = text.slice(at + 1, close - 1);
      if (code === 34) quoted.push(tokens.length);
      else backQuotes ||= closed;
      tokens.push(closed && IDENTIFIER.test(name) ? `"${name}"` : '?');
      at = close;
    } else if (code === 91 && IDENTIFIER.test(bracketed(text, at, end))) {
      const name = bracketed(text, at, end);
      tokens.push(`"${name}"`);
      at += name.length + 2;
    } else if (code === 36 && !isDigit(next)) {
      const close = dollarEnd(text, at, end);
      if (close > at) tokens.push('?');
      at = Math.max(close, at + 1);
    } else if (code === 58 && next === 58) {
      tokens.push('::');
      at += 2;
    } else if (
      (code === 36 && isDigit(next)) ||
      (code === 64 && isWordStart(next)) ||
      (code === 58 && (isWordStart(next) || isDigit(next)))
    ) {
      at++;
      while (at < end && isWordPart(text.charCodeAt(at))) at++;
      tokens.push('?');
    } else if (isDigit(code) || (code === 46 && isDigit(next))) {
      at = numberEnd(text, at, end);
      tokens.push('?');
    } else if (isWordStart(code)) {
      let close = at + 1;
      while (close < end && isWordPart(text.charCodeAt(close))) close++;
      tokens.push(text.slice(at, close).toLowerCase());
      at = close;
    } else {
      let close = at + 1;
      while (
        close < end &&
        close - at < 3 &&
        isOperator(code) &&
        isOperator(text.charCodeAt(close)) &&
        // `=@name` is an operator and a bound value.
        !(text.charCodeAt(close) === 64 && isWordStart(text.charCodeAt(close + 1)))
      )
        close++;
      // A comment or a sign may begin right behind an operator.
      const operator = text.slice(at, close).replace(/(?:--|\/\*).*$/s, '') || text.slice(at, at + 1);
      tokens.push(operator);
      at += operator.length;
    }
  }
  if (backQuotes) for (const index of quoted) if (!isPartOfName(tokens, index)) tokens[index] = '?';
  takeStrings(tokens);
  return tokens;
}

/** What a value follows. */
const COMPARES = /^(?:[<>!=~][<>!=~*]{0,2}|i?like|rlike|regexp|glob|match|between|escape)$/;
/** What a list of values follows. */
const LISTS = /^(?:in|values?)$/;
/** What is no function, and may be given a column. */
const QUANTIFIERS = /^(?:any|all|some|exists)$/;

function isPartOfName(tokens: readonly string[], at: number): boolean {
  const next = tokens[at + 1];
  return next === '.' || next === '(' || tokens[at - 1] === '.';
}

/**
 * MySQL and SQLite quote strings as others quote names. A single one that stands where a value does, behind a
 * comparison or in a list of values, is taken for a string: rather a column too few in a view than a literal too many.
 */
function takeStrings(tokens: string[]): void {
  /** For each parenthesis that is open: whether it holds values. */
  const lists: boolean[] = [];
  let between = false;
  /** Behind a row of values, another one may follow. */
  let rows = false;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string;
    const last = tokens[at - 1] ?? '';
    const inList = lists.at(-1) === true;
    if (token === '(') {
      const subquery = /^(?:select|with)$/.test(tokens[at + 1] ?? '');
      lists.push(!subquery && (inList || (rows && last === ',') || opensList(tokens, at)));
    } else if (token.startsWith('"') && !isPartOfName(tokens, at)) {
      const listed = inList && (last === '(' || last === ',');
      if (listed || COMPARES.test(last) || (between && last === 'and')) tokens[at] = '?';
    }
    if (token === ')') rows = lists.pop() === true;
    else if (token !== ',') rows = false;
    if (last === 'and') between = false;
    if (token === 'between') between = true;
  }
}

/** `in (`, `values (`, `= (`, and `= lower(`. */
function opensList(tokens: readonly string[], at: number): boolean {
  const last = tokens[at - 1] ?? '';
  if (LISTS.test(last) || COMPARES.test(last)) return true;
  return /^\w+$/.test(last) && !QUANTIFIERS.test(last) && COMPARES.test(tokens[at - 2] ?? '');
}

function isOperator(code: number): boolean {
  return '<=>!|&~#@-/*%+^?'.includes(String.fromCharCode(code));
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
    // A backslash escapes in MySQL and in E'..': taken so everywhere, no literal can slip out.
    if (code === 92 && quote !== 96) i++;
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

function dollarEnd(text: string, at: number, end: number): number {
  let close = at + 1;
  while (close < end && isWordPart(text.charCodeAt(close)) && text.charCodeAt(close) !== 36) close++;
  if (text.charCodeAt(close) !== 36) return at;
  const tag = text.slice(at, close + 1);
  const found = text.indexOf(tag, close + 1);
  return found < 0 ? end : Math.min(end, found + tag.length);
}

function numberEnd(text: string, at: number, end: number): number {
  let close = at + 1;
  while (close < end) {
    const code = text.charCodeAt(close);
    const exponent =
      (code === 43 || code === 45) &&
      /[eE]/.test(text[close - 1] ?? '') &&
      !/^0x/i.test(text.slice(at, at + 2));
    if (!isWordPart(code) && code !== 46 && !exponent) break;
    close++;
  }
  return close;
}

/** Writes tokens as a text, of somewhat more than {@link MAX_TEXT} at the most. */
export function joinTokens(tokens: readonly string[]): string {
  let result = '';
  let last = '';
  for (const token of tokens) {
    const tight =
      last === '' ||
      last === '(' ||
      last === '.' ||
      last === '::' ||
      token === ')' ||
      token === ',' ||
      token === '.' ||
      token === '::' ||
      token === ';' ||
      (token === '(' && /^\w+$/.test(last) && !SPACED.has(last));
    result += tight ? token : ` ${token}`;
    last = token;
    if (result.length > MAX_TEXT) break;
  }
  return result;
}

/** Words that a parenthesis follows with a space, so that lists are read as lists and calls as calls. */
const SPACED = words(
  `in values and or not where from as on using over exists select then else when join all any union
   returning set by`,
);
