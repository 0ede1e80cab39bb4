import { stripVTControlCharacters } from 'node:util';
import { withoutCredentials } from '../text/address.js';
import { normalizeStatement } from './statement-text.js';

/** The longest line that is shown, in characters. */
export const MAX_LINE = 500;
/** The characters of a line that are cleaned: they become fewer. */
export const MAX_RAW_LINE = 2 * MAX_LINE;

/** The begin of a statement, and something that follows only in statements. */
const STATEMENT =
  /\b(?:select\b[\s\S]*?\bfrom\b|insert\s+into\b|replace\s+into\b|merge\s+into\b|delete\s+from\b|update\s+\S+\s+set\b|with\s+\S+\s+as\s*\(|(?:create|alter)\s+(?:user|role)\b)/i;
const E_MAIL = /[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/g;
/** A card number, with or without separators. */
const LONG_NUMBER = /\b\d(?:[ -]?\d){13,18}\b/g;
/** A JSON Web Token, or its begin. */
const WEB_TOKEN = /\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}/g;
const OPAQUE = /[\w+=-]{20,}/g;
const UUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;

/**
 * A line of the application's log as it is kept: on one line, without ANSI codes, credentials, named secrets, e-mail addresses,
 * long numbers, keys, and literals of statements, and cut to {@link MAX_LINE} characters.
 */
export function cleanLogText(text: string): string {
  const line = stripVTControlCharacters(uncut(text))
    .replace(/\s+/g, ' ')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it removes
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
    .trim();
  const cleaned = withoutKeys(withoutCredentials(withoutLiterals(line)));
  return cleaned.length > MAX_LINE ? `${cleaned.slice(0, MAX_LINE - 1)}…` : cleaned;
}

/** Of a line that was cut, the last word may be a part of a secret. */
function uncut(text: string): string {
  if (text.length < MAX_RAW_LINE) return text;
  const start = text.slice(0, MAX_RAW_LINE);
  const end = start.search(/\s\S*$/);
  return end < 0 ? '…' : `${start.slice(0, end)} …`;
}

function withoutLiterals(line: string): string {
  const at = line.search(STATEMENT);
  return at < 0 ? line : line.slice(0, at) + normalizeStatement(line.slice(at));
}

function withoutKeys(line: string): string {
  const shown = line.includes('@') ? line.replace(E_MAIL, '?') : line;
  return shown
    .replace(WEB_TOKEN, '?')
    .replace(LONG_NUMBER, '?')
    .replace(OPAQUE, (word) => (isKey(word) ? '?' : word));
}

/** Letters and digits in one long word, as in tokens and keys. */
function isKey(word: string): boolean {
  return !UUID.test(word) && /[a-z]/i.test(word) && (word.match(/\d/g) ?? []).length >= 2;
}
