import type { Dialect } from './statement-dialect.js';
import { tokenize } from './statement-tokens.js';
import { words } from './statement-values.js';

/** The longest normalized text, in characters. */
export const MAX_TEXT = 2048;

/**
 * A statement without its literals: `SELECT * FROM t WHERE a = 5 AND b IN (1, 2)` becomes
 * `select * from t where a = ? and b in (?)`. Comments, casing, white space, and the number of entries of IN and
 * VALUES lists make no difference. Takes time linear in the length of the statement.
 */
export function normalizeStatement(text: string, dialect?: Dialect): string {
  return writeTokens(tokenize(text, dialect)).text;
}

/** Writes a normalized statement. @returns also whether rows of a VALUES list were folded into one */
export function writeTokens(tokens: readonly string[]): { text: string; folded: boolean } {
  const kept: string[] = [];
  let folded = false;
  for (const token of tokens) {
    // A sign before a literal is part of it.
    while (token === '?' && /^[-+]$/.test(kept.at(-1) ?? '') && isBeforeOperand(kept.at(-2))) kept.pop();
    kept.push(token);
    if (token === ')' && foldList(kept)) folded = true;
  }
  return { text: join(kept).slice(0, MAX_TEXT), folded };
}

/** Keywords after which a sign can only belong to a literal. */
const BEFORE_OPERAND = words(
  `select where and or not in values limit offset then else between set by when like is return`,
);

function isBeforeOperand(token: string | undefined): boolean {
  return (
    token === undefined ||
    token === '(' ||
    token === ',' ||
    /^[^\w"?)\]]+$/.test(token) ||
    BEFORE_OPERAND.has(token)
  );
}

/**
 * Makes `(?)` of `(?, ?, ?)`, and of `(?), (?)`.
 * @returns whether it removed a row
 */
function foldList(kept: string[]): boolean {
  let open = kept.length - 2;
  while (open >= 0 && (kept[open] === '?' || kept[open] === ',')) open--;
  if (kept[open] !== '(' || kept.length - open < 3) return false;
  kept.length = open + 1;
  kept.push('?', ')');
  if (kept.slice(-7).join('') !== '(?),(?)') return false;
  kept.length -= 4;
  return true;
}

/** Tokens without a space after them, and without one before them. */
const TIGHT_AFTER = new Set(['', '(', '.', '::']);
const TIGHT_BEFORE = new Set([')', ',', '.', '::', ';']);
/** Words with a space before a parenthesis. Other words are functions. */
const SPACED = words(
  `in values and or not where from as on using over exists select then else when join all any union
   returning set by`,
);

function join(tokens: readonly string[]): string {
  let result = '';
  let last = '';
  for (const token of tokens) {
    const isCall = token === '(' && /^\w+$/.test(last) && !SPACED.has(last);
    result += TIGHT_AFTER.has(last) || TIGHT_BEFORE.has(token) || isCall ? token : ` ${token}`;
    last = token;
    if (result.length > MAX_TEXT) break;
  }
  return result;
}
