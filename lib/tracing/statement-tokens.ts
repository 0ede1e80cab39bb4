/** What is looked at of a statement; what follows is of no use in a view, and a name is found in its beginning. */
const MAX_SCANNED = 8192;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isWordStart = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code > 127;
const isWordPart = (code: number): boolean => isWordStart(code) || isDigit(code) || code === 36;
const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

/** A quoted name that can be no literal: words and what joins them. In MySQL `"..."` may quote a string. */
const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_$ .-]{0,63}$/u;

/**
 * Splits a statement into tokens in one pass: every literal becomes `?`, comments and white space go. Handles quotes
 * doubled and escaped, dollar quoting, nested comments and statements that break off: what an open quote swallows
 * is taken as a literal.
 */
export function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const end = Math.min(text.length, MAX_SCANNED);
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
  return tokens;
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
