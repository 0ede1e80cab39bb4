import type { Dialect } from './statement-dialect.js';

// Character codes: comparing numbers is faster than comparing one-character strings.
const NEWLINE = 10;
export const DOUBLE_QUOTE = 34;
export const HASH = 35;
export const DOLLAR = 36;
export const QUOTE = 39;
export const ASTERISK = 42;
const PLUS = 43;
export const MINUS = 45;
export const DOT = 46;
export const SLASH = 47;
export const COLON = 58;
export const AT = 64;
export const OPEN_BRACKET = 91;
const BACKSLASH = 92;
export const CLOSE_BRACKET = 93;
const UNDERSCORE = 95;
export const BACKTICK = 96;
export const LOWER_P = 112;
export const OPEN_BRACE = 123;

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;
export const isWordStart = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === UNDERSCORE || code > 127;
export const isWordPart = (code: number): boolean => isWordStart(code) || isDigit(code) || code === DOLLAR;
export const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

const PAIRS: ReadonlyMap<string, string> = new Map(
  ['[]', '()', '{}', '<>'].map(([open, close]) => [open, close] as [string, string]),
);

const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/iy;

/** The end of a UUID, which is a literal of CQL. */
export function uuidEnd(text: string, at: number): number | undefined {
  UUID.lastIndex = at;
  return UUID.test(text) ? UUID.lastIndex : undefined;
}

/** The end of the options of COPY: data follows after the semicolon or the end of the line. */
export function optionsEnd(text: string, at: number, end: number): number {
  const found = text.slice(at, end).search(/[;\n]/);
  return found < 0 ? end : at + found;
}

function isOperator(code: number): boolean {
  return '<=>!|&~#@-/*%+^?'.includes(String.fromCharCode(code));
}

/** An operator of up to three characters, or any other single character. */
export function operatorAt(text: string, at: number, end: number): string {
  let close = at + 1;
  if (isOperator(text.charCodeAt(at))) {
    const last = Math.min(end, at + 3);
    while (close < last && isOperator(text.charCodeAt(close)) && !isNamedParameter(text, close)) close++;
  }
  // A comment may begin right behind an operator.
  return text.slice(at, close).replace(/(?:--|\/\*|\/\/|(?<!^)#).*$/s, '') || text.slice(at, at + 1);
}

/** In `=@name`, the operator ends before the bound value. */
function isNamedParameter(text: string, at: number): boolean {
  return text.charCodeAt(at) === AT && isWordStart(text.charCodeAt(at + 1));
}
export function lineEnd(text: string, at: number, end: number): number {
  let close = at;
  while (close < end && text.charCodeAt(close) !== NEWLINE) close++;
  return Math.min(end, close + 1);
}

export function commentEnd(text: string, at: number, end: number, nested: boolean): number {
  let depth = 1;
  for (let i = at + 2; i < end; i++) {
    if (nested && text.startsWith('/*', i)) {
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

export function escapesIn({ escapes, doubleQuotes }: Dialect, quote: number): boolean {
  return quote === DOUBLE_QUOTE && escapes && doubleQuotes !== 'names';
}

export function stringEnd(text: string, at: number, end: number, dialect: Dialect, prefix: string): number {
  if (dialect.tripleQuotes && /^[rb]*$/.test(prefix) && text.startsWith("'''", at))
    return tripleEnd(text, at, end);
  if (dialect.alternativeQuotes && prefix.endsWith('q')) {
    const open = text.charAt(at + 1);
    const close = text.indexOf(`${PAIRS.get(open) ?? open}'`, at + 2);
    return close < 0 || close + 2 > end ? end : close + 2;
  }
  return quoteEnd(text, at, end, QUOTE, dialect.escapes || prefix === 'e');
}

/** The end of a string in triple quotes, in which a backslash escapes. */
export function tripleEnd(text: string, at: number, end: number): number {
  const quotes = text.slice(at, at + 3);
  for (let i = at + 3; i < end; i++) {
    if (text.charCodeAt(i) === BACKSLASH) i++;
    else if (text.startsWith(quotes, i)) return Math.min(end, i + 3);
  }
  return end;
}

export function quoteEnd(text: string, at: number, end: number, quote: number, escapes: boolean): number {
  for (let i = at + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH && escapes) i++;
    else if (code === quote) {
      if (text.charCodeAt(i + 1) !== quote) return i + 1;
      i++;
    }
  }
  return end;
}

/** The end of `[name]`, in which `]]` is a bracket. */
export function bracketEnd(text: string, at: number, end: number): number {
  const last = Math.min(end, at + 131);
  for (let i = at + 1; i < last; i++) {
    if (text.charCodeAt(i) !== CLOSE_BRACKET) continue;
    if (text.charCodeAt(i + 1) !== CLOSE_BRACKET) return i + 1;
    i++;
  }
  return last;
}

/** The end of `$tag$ .. $tag$`, or `at` where no tag begins. */
export function dollarQuoteEnd(text: string, at: number, end: number): number {
  let close = at + 1;
  while (close < end && isWordPart(text.charCodeAt(close)) && text.charCodeAt(close) !== DOLLAR) close++;
  if (text.charCodeAt(close) !== DOLLAR) return at;
  const tag = text.slice(at, close + 1);
  const found = text.indexOf(tag, close + 1);
  return found < 0 ? end : Math.min(end, found + tag.length);
}

export function wordEnd(text: string, at: number, end: number): number {
  let close = at + 1;
  while (close < end && isWordPart(text.charCodeAt(close))) close++;
  return close;
}

export function numberEnd(text: string, at: number, end: number): number {
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
