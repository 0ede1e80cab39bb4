import type { Dialect } from '../spans/statement-dialect.js';
import { beginsWithVerb } from '../spans/statement-summary.js';
import { normalizeStatement } from '../spans/statement-text.js';
import { readStatement } from '../spans/statement-tokens.js';
import { isTruncated } from '../spans/truncated-text.js';

/** All of a shorter statement is read. */
const MAX_TEXT = 8000;
const VERBS: ReadonlySet<string> = new Set(['select', 'with', 'insert', 'update', 'delete']);
/** The semicolon at the end of a statement. */
const END = /[\s;]+$/;
/** Comments that MySQL and MariaDB execute. */
const EXECUTED_COMMENT = /\/\*M?!/i;

/**
 * The text of a statement behind EXPLAIN, with its tokens. Undefined unless it is one whole SELECT, INSERT, UPDATE or DELETE:
 * a semicolon within it, even in a string, may be read as the end of the first of two statements, of which the second would be
 * executed.
 */
export function sendable(
  raw: string,
  dialect: Dialect,
): { readonly text: string; readonly tokens: readonly string[] } | undefined {
  const text = raw.replace(END, '').trimStart();
  if (text.length === 0 || text.length > MAX_TEXT || text.includes(';') || text.includes('\0'))
    return undefined;
  if (EXECUTED_COMMENT.test(text)) return undefined;
  const { tokens } = readStatement(text, dialect);
  const first = tokens.find((token) => token !== '(');
  if (first === undefined || !VERBS.has(first) || !beginsWithVerb(tokens)) return undefined;
  // `SELECT … INTO` creates a table, or writes a file.
  if (first !== 'insert' && tokens.includes('into') && !tokens.includes('insert')) return undefined;
  if (isTruncated(raw, normalizeStatement(text, dialect), true)) return undefined;
  return { text, tokens };
}

/** Strings, quoted names and comments, and the placeholders between them. */
const PLACEHOLDER =
  /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`[^`]*`|--[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/|(?<mark>\?)/g;

/** Replaces each `?` of a statement. @param valueAt receives its index, and the text before it */
export function placeholdersReplaced(
  text: string,
  valueAt: (index: number, before: string) => string,
): string {
  let index = 0;
  return text.replace(PLACEHOLDER, (found: string, _mark: string | undefined, offset: number) =>
    found === '?' ? valueAt(index++, text.slice(Math.max(0, offset - 40), offset)) : found,
  );
}
