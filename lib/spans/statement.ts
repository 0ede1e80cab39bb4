import { performance } from 'node:perf_hooks';
import { isJson, joinTokens, MAX_TEXT, tokenize, words } from './statement-tokens.js';
import type { Inputs, WorkKey } from './work-group.js';

/** Statements longer than this are not kept as keys: they are mostly made of literals, and never come again. */
const MAX_KEY = 10_000;
/** Longer ones are not even kept while they are run: what is looked at of them is bounded anyway. */
const MAX_LONG = 1_000_000;

/**
 * A statement without its literals: `SELECT * FROM t WHERE a = 5 AND b IN (1, 2)` becomes
 * `select * from t where a = ? and b in (?)`. Comments, casing, white space, and the number of entries of IN and
 * VALUES lists make no difference. A quoted name keeps its casing and gets double quotes; what is quoted so and
 * looks like no name, or stands where a value does, is taken as a string. Linear in the statement's length, of which the first 8192 characters count.
 */
export function normalizeStatement(text: string): string {
  return write(tokenize(text)).text;
}

/** Writes a statement from its tokens, and tells whether rows of a list were left out. */
function write(tokens: readonly string[]): { text: string; folded: boolean } {
  const kept: string[] = [];
  let folded = false;
  for (const token of tokens) {
    // A sign before a literal is part of it.
    while (token === '?' && /^[-+]$/.test(kept.at(-1) ?? '') && isBeforeOperand(kept.at(-2))) kept.pop();
    kept.push(token);
    if (token === ')' && foldList(kept)) folded = true;
  }
  return { text: joinTokens(kept).slice(0, MAX_TEXT), folded };
}

function isBeforeOperand(token: string | undefined): boolean {
  return (
    token === undefined ||
    token === '(' ||
    token === ',' ||
    /^[^\w"?)\]]+$/.test(token) ||
    KEYWORDS.has(token)
  );
}

/** Keywords after which a sign can only belong to a literal. */
const KEYWORDS = words(
  `select where and or not in values limit offset then else between set by when like is return`,
);

/** `(?, ?, ?)` becomes `(?)`, and a group that repeats the one before it, behind a comma, goes: whether one did. */
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

const VERBS = words(
  `select insert update delete merge replace begin start commit rollback savepoint release create alter
   drop truncate call exec execute set show explain with lock copy listen notify vacuum analyze grant
   revoke declare fetch move close values refresh use prepare deallocate`,
);

/**
 * The low-cardinality name of a statement: its verb and its first table, `SELECT users`. The verb of a statement
 * that begins with WITH is that of its main part. What begins with no verb of SQL is `SQL`.
 */
export function summarizeStatement(text: string): string {
  return summarize(tokenize(text));
}

function summarize(tokens: readonly string[]): string {
  let first = 0;
  while (tokens[first] === '(') first++;
  const begin = tokens[first] === 'with' ? mainVerb(tokens, first) : first;
  const verb = tokens[begin] ?? '';
  if (!VERBS.has(verb)) return 'SQL';
  const table = tableOf(tokens, begin, verb);
  return table === undefined ? verb.toUpperCase() : `${verb.toUpperCase()} ${table}`;
}

/** The verb behind the common table expressions: the first one outside of parentheses. */
function mainVerb(tokens: readonly string[], first: number): number {
  let depth = 0;
  for (let i = first + 1; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (depth === 0 && /^(?:select|insert|update|delete|merge)$/.test(token ?? '')) return i;
  }
  return first;
}

function tableOf(tokens: readonly string[], begin: number, verb: string): string | undefined {
  switch (verb) {
    case 'select':
    case 'delete': {
      const from = fromOf(tokens, begin);
      return from < 0 ? undefined : nameAt(tokens, from + 1);
    }
    case 'insert':
    case 'replace':
    case 'merge': {
      const into = tokens.indexOf('into', begin);
      return into < 0 ? nameAt(tokens, begin + 1) : nameAt(tokens, into + 1);
    }
    case 'update':
    case 'call':
    case 'exec':
    case 'truncate':
    case 'copy':
    case 'refresh':
      return nameAt(tokens, begin + 1);
    default:
      return undefined;
  }
}

/** The FROM of a query itself, and not that of a query within its list of columns, nor of `extract(x from y)`. */
function fromOf(tokens: readonly string[], begin: number): number {
  let depth = 0;
  for (let i = begin; i < tokens.length; i++) {
    if (tokens[i] === '(') depth++;
    else if (tokens[i] === ')') depth--;
    else if (tokens[i] === 'from' && depth <= 0) return i;
  }
  return -1;
}

const NOISE = words(`only table lateral ignore low_priority or materialized view concurrently`);

function nameAt(tokens: readonly string[], index: number): string | undefined {
  let at = index;
  while (tokens[at] === '(' || NOISE.has(tokens[at] ?? '')) at++;
  if (tokens[at] === 'select') return nameAt(tokens, fromOf(tokens, at) + 1 || tokens.length);
  // The last part of a name is the table; what stands before it is schema and database.
  while (tokens[at + 1] === '.' && tokens[at + 2] !== undefined) at += 2;
  const token = tokens[at];
  if (token === undefined || token === '?' || !/^["\p{L}_]/u.test(token)) return undefined;
  return token.replace(/"/g, '').slice(0, 64);
}

/** What is kept of a statement. */
export interface KnownStatement {
  /** As it was given, with its literals. */
  readonly raw: string;
  /** Without its literals. */
  readonly text: string;
  /** Its low-cardinality name. */
  readonly summary: string;
  readonly key: WorkKey;
  /**
   * The values that it is made with, when they are in its text: none, or itself as one that differs from every other
   * text. Absent when they are bound, so that the text does not tell them.
   */
  readonly inputs: Inputs | undefined;
  /**
   * When this very text was met first, on the clock of `performance.now()`. Never, once it was met with other literals:
   * these may come from what was asked before.
   */
  readonly firstSeen: number;
}

const READS = /^(?:SELECT|VALUES|SHOW|EXPLAIN)\b/;
const CONTROL =
  /^(?:BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|SHOW|USE|LISTEN|NOTIFY|PREPARE|DEALLOCATE|DECLARE|CLOSE|FETCH|MOVE)\b/;
/** What health checks and pools ask to see whether somebody is there. */
const PING = /^select (?:\?|now\(\)|version\(\)|current_\w+)(?: as "?\w+"?)?;?$/;
/** A value that is bound: `$1`, `?`, `:name`, `@name`. */
const BOUND = /\$\d|\?|(?<![:\w]):\w|@\w/i;

/** Rows that are not folded, since there is more in them than values. */
const ROWS = /\bvalues \((?:[^()]|\([^()]*\))*\), \(/;
const ONE_ROW = /\b(?:limit|fetch\s+(?:first|next))\s+1\b(?!\s*,)/i;
/** JSON of which every value is `?`, as some instrumentations write it. */
const VALUELESS = /^(?:[\s{}[\],]|"\?"(?!\s*:)|"(?:[^"\\]|\\.)*"\s*:)*$/;

let texts = 0;

/** How many texts were met of one fingerprint. */
type Variants = { count: number };

class Statement implements KnownStatement {
  private readonly metAt = performance.now();

  constructor(
    readonly raw: string,
    readonly text: string,
    readonly summary: string,
    readonly key: WorkKey,
    readonly inputs: Inputs | undefined,
    readonly variants: Variants,
  ) {}

  get firstSeen(): number {
    return this.inputs?.length !== 0 && this.variants.count > 1 ? Number.POSITIVE_INFINITY : this.metAt;
  }
}

function describeStatement(raw: string, variantsOf: (raw: string, text: string) => Variants): Statement {
  if (isJson(raw)) {
    const text = raw.length <= MAX_TEXT && VALUELESS.test(raw) ? raw : '?';
    return new Statement(
      raw,
      text,
      'SQL',
      { fingerprint: text, name: 'SQL', effect: 'read' },
      undefined,
      MANY,
    );
  }
  const tokens = tokenize(raw);
  const { text, folded } = write(tokens);
  const summary = summarize(tokens);
  const effect =
    CONTROL.test(summary) || PING.test(text) ? 'control' : READS.test(summary) ? 'read' : 'write';
  const shape =
    effect === 'write' && ((folded && text.includes('values (')) || ROWS.test(text))
      ? 'rows'
      : text.includes('offset ?') && ONE_ROW.test(raw.slice(0, MAX_KEY))
        ? 'row'
        : undefined;
  // Negative, so that it is no hash of a bound value.
  const inputs = !text.includes('?') ? [] : BOUND.test(raw.slice(0, MAX_KEY)) ? undefined : [-++texts];
  const key = { fingerprint: text, name: summary, effect, shape } as const;
  return new Statement(raw, text, summary, key, inputs, variantsOf(raw, text));
}

/** Of a text that is not kept it can't be told whether it is the only one. */
const MANY: Variants = { count: Number.POSITIVE_INFINITY };

/**
 * The statements that were met lately, so that one that comes again costs one look-up. Bounded: two generations of
 * half the capacity each, of which the older is dropped when the younger is full.
 */
export class StatementCache {
  private young = new Map<string, Statement>();
  private old = new Map<string, Statement>();
  /** By fingerprint, of the statements above: those of a generation go with it. */
  private youngVariants = new Map<string, Variants>();
  private oldVariants = new Map<string, Variants>();
  /** The last long one: it is looked up several times while it runs. */
  private longText = '';
  private long: Statement | undefined;

  /** @param capacity statements kept at the most */
  constructor(private readonly capacity = 1000) {}

  /** The number of statements kept. */
  get size(): number {
    return this.young.size + this.old.size;
  }

  get(text: string): KnownStatement {
    if (text.length > MAX_KEY) return this.getLong(text);
    const known = this.young.get(text);
    if (known !== undefined) return known;
    const statement = this.old.get(text) ?? describeStatement(text, this.count);
    if (this.young.size >= this.capacity / 2) {
      this.old = this.young;
      this.young = new Map();
      this.oldVariants = this.youngVariants;
      this.youngVariants = new Map();
    }
    this.young.set(text, statement);
    this.youngVariants.set(statement.text, statement.variants);
    return statement;
  }

  private getLong(text: string): KnownStatement {
    if (this.long !== undefined && this.longText === text) return this.long;
    const statement = describeStatement(text, (raw, fingerprint) => {
      this.count(raw, fingerprint);
      return MANY;
    });
    if (text.length > MAX_LONG) return statement;
    this.longText = text;
    this.long = statement;
    return statement;
  }

  /** Counts a text of its fingerprint, but for the one that is left when its literals are taken out. */
  private readonly count = (raw: string, text: string): Variants => {
    const variants = this.youngVariants.get(text) ?? this.oldVariants.get(text) ?? { count: 0 };
    if (raw !== text) variants.count++;
    return variants;
  };
}

/** The statements of this process. */
export const knownStatements = new StatementCache();
