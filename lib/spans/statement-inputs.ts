import type { Inputs, PageInputs } from './work-group.js';

/** Characters of a statement that are read. */
const MAX_SCANNED = 8192;
/** Positions of values, as bits of a number. */
const MAX_POSITIONS = 30;

/** The values of a statement, as far as its text shows them. */
export interface StatementValues {
  /** Hashes of the literals in its text: all but those that select a page as one, then each of these. Negative. */
  readonly literals: Inputs;
  /** Its values that may select a page. The inputs of a call are its bound values, then its literals. */
  readonly page: PageInputs | undefined;
}

const COMMENT = /\/\*(?:[^*]|\*(?!\/))*(?:\*\/|$)|--[^\n]*/g;
/**
 * A string, a quoted name, a bound value or a number. A name is matched so that the digits within it are not.
 */
const VALUE =
  /(?<text>'(?:[^']|'')*'?)|"(?:[^"]|"")*"?|`[^`]*`?|(?<bound>\$\d+|\?|(?<![:\w]):\w+|(?<![@\w])@\w+|%s|%\(\w+\)s)|[a-z_]\w*|(?<number>\d[\w.]*)/gi;
/** What precedes a value that selects a page, apart from a comparison with a column of the order. */
const BEFORE_PAGE =
  /\b(?:limit|offset|top|fetch\s+(?:first|next)|skip)\s*\(?\s*$|\blimit\s+\S{1,40}\s*,\s*$/i;
/** A column, or a list of columns, that is compared. */
const BEFORE_COMPARED = /([\w."`\]]+)\s*(?:[<>]=?|=)\s*$/;
const BEFORE_ROW = /\)\s*[<>]=?\s*\((?:\s*[^\s(),]{1,40}\s*,)*\s*$/;
/** What limits a page. */
const LIMITED = /\b(?:limit|top|fetch\s+(?:first|next))\b/i;
const ORDER = /\border\s+by\s+([\s\S]{1,400})$/i;
/** The characters before a value that are read. */
const BEFORE = 160;

/** Finds the values of a statement. Called once for a text. */
export function valuesOfStatement(raw: string): StatementValues {
  const text = raw.slice(0, MAX_SCANNED).replace(COMMENT, ' ');
  const keys = keysetColumns(text);
  const names: string[] = [];
  const boundPages: boolean[] = [];
  const pageLiterals: string[] = [];
  let rest = '';
  let from = 0;
  let hasLiterals = false;
  let unnamed = 0;
  for (const { 0: value, index, groups } of text.matchAll(VALUE)) {
    const { bound, text: quoted, number } = groups as Record<string, string | undefined>;
    if (bound === undefined && quoted === undefined && number === undefined) continue;
    const isPage = selectsPage(text.slice(Math.max(0, index - BEFORE), index), keys);
    if (bound === undefined) {
      if (isPage && pageLiterals.length < MAX_POSITIONS) {
        rest += text.slice(from, index);
        from = index + value.length;
        pageLiterals.push(value);
      } else hasLiterals = true;
      continue;
    }
    const name = bound === '?' || bound === '%s' ? `?${unnamed++}` : bound;
    let position = names.indexOf(name);
    if (position < 0) position = names.push(name) - 1;
    boundPages[position] = (boundPages[position] ?? true) && isPage;
  }
  rest += text.slice(from) + raw.slice(MAX_SCANNED);
  const literals =
    hasLiterals || raw.length > MAX_SCANNED || pageLiterals.length > 0
      ? [rest, ...pageLiterals].map(negativeHash)
      : [];
  return { literals, page: pageOf(names, boundPages, literals.length) };
}

/** The positions of bound values follow their names: `$2` is the second, `:a` comes before `:b`. */
function pageOf(
  names: readonly string[],
  isPage: readonly boolean[],
  literals: number,
): PageInputs | undefined {
  const inputs = names.length + literals;
  if (inputs > MAX_POSITIONS) return undefined;
  const order = [...names.keys()].sort((a, b) => byName(names[a] as string, names[b] as string));
  let pages = 0;
  for (const [position, at] of order.entries()) if (isPage[at] === true) pages |= 1 << position;
  for (let at = 1; at < literals; at++) pages |= 1 << (names.length + at);
  return pages === 0 ? undefined : { inputs, pages, bound: 2 ** names.length - 1 };
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** The columns that a statement both orders by and compares: the last values of a page are where the next one starts. */
function keysetColumns(text: string): ReadonlySet<string> {
  const order = LIMITED.test(text) ? ORDER.exec(text)?.[1] : undefined;
  if (order === undefined) return NONE;
  const list = order.replace(/\b(?:limit|offset|fetch|for)\b[\s\S]*$/i, '');
  return new Set(list.split(',').map((column) => lastName(column.trim().split(/\s+/)[0] as string)));
}

const NONE: ReadonlySet<string> = new Set();

function lastName(column: string): string {
  return column
    .replace(/["`[\]()]/g, '')
    .replace(/^.*\./, '')
    .toLowerCase();
}

function selectsPage(before: string, keys: ReadonlySet<string>): boolean {
  if (BEFORE_PAGE.test(before)) return true;
  if (keys.size === 0) return false;
  if (BEFORE_ROW.test(before)) return true;
  const column = BEFORE_COMPARED.exec(before.slice(-80))?.[1];
  return column !== undefined && keys.has(lastName(column));
}

/** FNV-1a. Negative, as the hashes of bound values are not: a literal is known from no other text. */
function negativeHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return -1 - (hash >>> 0);
}
