import type { Dialect } from '../spans/statement-dialect.js';
import { tokenize } from '../spans/statement-tokens.js';
import { type ColumnName, columnOf, functionOf, isValue, unwrapped } from './operands.js';

/** What rows have to fulfil: one comparison, or one that no index of columns serves. Without its values. */
export type Condition =
  /** Equal to a value, or to one of a list. */
  | { readonly kind: 'equal'; readonly column: ColumnName; readonly isList: boolean }
  | { readonly kind: 'range' | 'null' | 'pattern'; readonly column: ColumnName }
  | { readonly kind: 'join'; readonly column: ColumnName; readonly other: ColumnName }
  /** `lower(email) = value` */
  | { readonly kind: 'function'; readonly name: string; readonly column: ColumnName }
  /** Joined by OR, or anything else. */
  | { readonly kind: 'either' | 'other'; readonly columns: readonly string[] };

/** The tokenizer reads no more of a text. */
const MAX_TEXT = 8000;
/** Nested parentheses, and conditions, that are read. */
const MAX_DEPTH = 40;
const MAX_CONDITIONS = 100;

/** The conditions of an expression as a server writes it. All of them must be fulfilled. */
export function readConditions(text: string, dialect: Dialect): Condition[] {
  if (text.length > MAX_TEXT) return [{ kind: 'other', columns: [] }];
  return conditionsOf(tokenize(text.replace(SUBQUERY_VALUE, '$1').replaceAll('<cache>', ''), dialect));
}

/** How Postgres writes the value of a query that runs once. */
const SUBQUERY_VALUE = /\(InitPlan \d+\)\.col\d+/g;

/** The same of an expression that is split into tokens. */
export function conditionsOf(tokens: readonly string[]): Condition[] {
  const found: Condition[] = [];
  collect(tokens, found, 0);
  return found;
}

function collect(given: readonly string[], found: Condition[], depth: number): void {
  const tokens = unwrapped(given);
  if (tokens.length === 0) return;
  if (depth > MAX_DEPTH || found.length >= MAX_CONDITIONS) {
    found.push({ kind: 'other', columns: [] });
    return;
  }
  const either = split(tokens, 'or');
  if (either.length > 1) {
    found.push({ kind: 'either', columns: columnsIn(tokens) });
    return;
  }
  const all = split(tokens, 'and');
  if (all.length > 1) for (const part of all) collect(part, found, depth + 1);
  else found.push(classify(tokens));
}

/** Splits at a word outside of parentheses. The `and` of `between` is none. */
function split(tokens: readonly string[], word: 'and' | 'or'): string[][] {
  const parts: string[][] = [[]];
  let depth = 0;
  let isBetween = false;
  for (const token of tokens) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    if (depth === 0 && token === 'between') isBetween = true;
    if (depth === 0 && token === word && !(isBetween && word === 'and')) {
      parts.push([]);
      continue;
    }
    if (depth === 0 && token === 'and') isBetween = false;
    parts.at(-1)?.push(token);
  }
  return parts;
}

const OPERATORS: ReadonlyMap<string, 'equal' | 'range' | 'pattern' | 'null' | 'in'> = new Map([
  ['=', 'equal'],
  ['==', 'equal'],
  ['<=>', 'equal'],
  ['<', 'range'],
  ['>', 'range'],
  ['<=', 'range'],
  ['>=', 'range'],
  ['between', 'range'],
  ['~~', 'pattern'],
  ['~~*', 'pattern'],
  ['like', 'pattern'],
  ['ilike', 'pattern'],
  ['glob', 'pattern'],
  ['~', 'pattern'],
  ['~*', 'pattern'],
  ['in', 'in'],
  ['is', 'null'],
]);
/** Any other operator, which a condition with an index must not have outside of parentheses. */
const OTHER_OPERATOR = /^(?:not|[<>=!~@#&|?%^*/+-]+)$/;

function classify(tokens: readonly string[]): Condition {
  const other: Condition = { kind: 'other', columns: columnsIn(tokens) };
  const at = operatorAt(tokens);
  const operator = OPERATORS.get(tokens[at] ?? '');
  if (operator === undefined || at === 0) return other;
  const left = tokens.slice(0, at);
  const right = tokens.slice(at + 1);
  const column = columnOf(left);
  switch (operator) {
    case 'null':
      return column !== undefined && right.join(' ') === 'null' ? { kind: 'null', column } : other;
    case 'in':
      return column !== undefined && isValue(right) ? { kind: 'equal', column, isList: true } : other;
    case 'pattern':
      return column === undefined ? other : { kind: 'pattern', column };
    case 'range': {
      const compared = column ?? columnOf(right);
      const value = column === undefined ? left : right;
      return compared !== undefined && isValue(value.filter((token) => token !== 'and'))
        ? { kind: 'range', column: compared }
        : other;
    }
    default:
      return equality(left, right, column, other);
  }
}

function equality(
  left: readonly string[],
  right: readonly string[],
  column: ColumnName | undefined,
  other: Condition,
): Condition {
  const second = columnOf(right);
  if (column !== undefined && second !== undefined)
    return column.table === second.table ? other : { kind: 'join', column, other: second };
  if (column !== undefined && isValue(right))
    return { kind: 'equal', column, isList: /^(?:any|some)$/.test(right[0] ?? '') };
  if (second !== undefined && isValue(left)) return { kind: 'equal', column: second, isList: false };
  const call = functionOf(left);
  return call !== undefined && isValue(right) ? { kind: 'function', ...call } : other;
}

/** The only operator outside of parentheses; -1 if there is none, or if others stand before it. */
function operatorAt(tokens: readonly string[]): number {
  let depth = 0;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string;
    if (token === '(' || token === '[') depth++;
    else if (token === ')' || token === ']') depth--;
    else if (depth === 0 && OPERATORS.has(token)) return at;
    else if (depth === 0 && OTHER_OPERATOR.test(token) && token !== '?') return -1;
  }
  return -1;
}

const MAX_COLUMNS = 4;

/** The columns that an expression names, as far as they are qualified or quoted. */
function columnsIn(tokens: readonly string[]): string[] {
  const found = new Set<string>();
  for (let at = 0; at < tokens.length && found.size < MAX_COLUMNS; at++) {
    if (tokens[at] !== '.' || tokens[at + 2] === '.') continue;
    const column = columnOf(tokens.slice(at + 1, at + 2));
    if (column !== undefined) found.add(column.column);
  }
  return [...found];
}
