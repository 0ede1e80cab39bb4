import { performance } from 'node:perf_hooks';
import { isWaiting } from './blocking-call.js';
import { type Dialect, UNKNOWN } from './statement-dialect.js';
import { valuesOfStatement } from './statement-inputs.js';
import { beginsWithVerb, summarizeTokens } from './statement-summary.js';
import { MAX_TEXT, writeTokens } from './statement-text.js';
import { isJson, readStatement } from './statement-tokens.js';
import { isTruncated } from './truncated-text.js';
import type { Inputs, PageInputs, WorkKey } from './work-group.js';

/** Longer statements are not kept in the cache: they consist mostly of literals, and rarely repeat. */
const MAX_KEY = 10_000;
/** Longer ones are not kept even while they run. */
const MAX_LONG = 1_000_000;

/** A statement, parsed once. */
export interface KnownStatement {
  /** As it was given, with its literals. */
  readonly raw: string;
  /** Without its literals. */
  readonly text: string;
  /** Its low-cardinality name. */
  readonly summary: string;
  readonly key: WorkKey;
  /** Its values: the literals of its text. Absent when values are bound or cut off, because the text does not show them. */
  readonly inputs: Inputs | undefined;
  /** The literals of its text alone. Negative numbers, and absent when some are cut off. */
  readonly literals: Inputs | undefined;
  /**
   * When this text was first executed, on the clock of `performance.now()`. Infinity once the same statement was executed
   * with other literals: they may be the results of earlier queries.
   */
  readonly firstSeen: number;
  /** It waits by design, for a message or a time. */
  readonly isBlocking: boolean;
}

const READS = /^(?:SELECT|VALUES|SHOW|EXPLAIN)\b/;
const CONTROL =
  /^(?:BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|SHOW|USE|LISTEN|NOTIFY|PREPARE|DEALLOCATE|DECLARE|CLOSE|FETCH|MOVE)\b/;
/** Statements by which health checks and pools test a connection. */
const PING = /^select (?:\?|now\(\)|version\(\)|current_\w+)(?: as "?\w+"?)?;?$/;
/** A driver reads the types of a database when it opens a connection. */
const TYPES = /^select\b.*\bfrom (?:"?pg_catalog"?\.)?"?pg_type\b/;
/** Rows with more than values in them, which are not folded. */
const ROWS = /\bvalues \((?:[^()]|\([^()]*\))*\), \(/;
const ONE_ROW = /\b(?:limit|fetch\s+(?:first|next))\s+1\b(?!\s*,)/i;
/** JSON in which every value is `?`, as some instrumentations write it. */
const WITHOUT_VALUES = /^(?:[\s{}[\],]|"\?"(?!\s*:)|"(?:[^"\\]|\\.)*"\s*:)*$/;

/** How many texts of one fingerprint were executed. */
type Variants = { count: number };

/** For a text that is not kept it is unknown whether it is the only one. */
const MANY: Variants = { count: Number.POSITIVE_INFINITY };

class Statement implements KnownStatement {
  private readonly createdAt = performance.now();

  constructor(
    readonly raw: string,
    readonly text: string,
    readonly summary: string,
    readonly key: WorkKey,
    readonly inputs: Inputs | undefined,
    readonly literals: Inputs | undefined,
    readonly variants: Variants,
    readonly isBlocking = false,
  ) {}

  get firstSeen(): number {
    return this.inputs?.length !== 0 && this.variants.count > 1 ? Number.POSITIVE_INFINITY : this.createdAt;
  }
}

type CountVariant = (raw: string, text: string) => Variants;

function describeStatement(raw: string, dialect: Dialect, countVariant: CountVariant): Statement {
  if (isJson(raw)) return describeJson(raw);
  const { tokens, isBound: hasBound } = readStatement(raw, dialect);
  // In a language that is not known, any word may be a value.
  if (dialect === UNKNOWN && !beginsWithVerb(tokens)) return hidden(raw);
  const { text, folded } = writeTokens(tokens);
  const summary = summarizeTokens(tokens);
  const effect = effectOf(summary, text);
  const isBound = hasBound && text.includes('?');
  const { literals, page } = valuesOf(raw, text, isBound);
  const key = { fingerprint: text, name: summary, effect, shape: shapeOf(effect, raw, text, folded), page };
  const inputs = isBound ? undefined : literals;
  const variants = countVariant(raw, text);
  return new Statement(raw, text, summary, key, inputs, literals, variants, isWaiting(text, tokens));
}

function describeJson(raw: string): Statement {
  return hidden(raw, raw.length <= MAX_TEXT && WITHOUT_VALUES.test(raw) ? raw : '?');
}

function hidden(raw: string, text = '?'): Statement {
  const key = { fingerprint: text, name: 'SQL', effect: 'read' } as const;
  return new Statement(raw, text, key.name, key, undefined, undefined, MANY);
}

function effectOf(summary: string, text: string): WorkKey['effect'] {
  if (CONTROL.test(summary) || PING.test(text) || TYPES.test(text)) return 'control';
  return READS.test(summary) ? 'read' : 'write';
}

function shapeOf(effect: WorkKey['effect'], raw: string, text: string, folded: boolean): WorkKey['shape'] {
  if (effect === 'write' && ((folded && text.includes('values (')) || ROWS.test(text))) return 'rows';
  return text.includes('offset ?') && ONE_ROW.test(raw.slice(0, MAX_KEY)) ? 'row' : undefined;
}

const OFFSET = /\b(?:offset|skip)\b|\blimit \?,/;
const LIMIT = /\b(?:limit|top|fetch)\b/;

/** Whether a text may select a page of a list: by an offset, or by a comparison with the last value of the page before. */
function mayPage(text: string): boolean {
  if (OFFSET.test(text)) return true;
  const order = text.lastIndexOf('order by ');
  return order > 0 && /[<>]/.test(text.slice(0, order)) && LIMIT.test(text);
}

/** A literal beside bound values. */
const LITERAL = /'|(?<![\w$:@."`])\d/;
const COMMENT = /--|\/\*/;

let texts = 0;

function valuesOf(
  raw: string,
  text: string,
  isBound: boolean,
): { readonly literals: Inputs | undefined; readonly page?: PageInputs | undefined } {
  if (isTruncated(raw, text, raw.length <= MAX_TEXT && text.length < MAX_TEXT))
    return { literals: undefined };
  if (!text.includes('?')) return { literals: NO_LITERALS };
  if (!mayPage(text)) {
    // A number that no other text has is enough where neither a page nor a comment makes a difference.
    if (!isBound && !COMMENT.test(raw)) return { literals: [-++texts] };
    if (isBound && !LITERAL.test(raw)) return { literals: NO_LITERALS };
  }
  return valuesOfStatement(raw);
}

const NO_LITERALS: Inputs = [];

/** The inputs of a statement with these bound values, whose hashes are given. */
export function inputsWith({ literals }: KnownStatement, bound: Inputs | undefined): Inputs | undefined {
  if (bound === undefined || literals === undefined) return undefined;
  return literals.length === 0 ? bound : [...bound, ...literals];
}

/** The statements of one generation of the cache, and the variants of their fingerprints. */
class Generation {
  /** By the number of their dialect, then by their text. */
  readonly statements: (Map<string, Statement> | undefined)[] = [];
  readonly variants = new Map<string, Variants>();
  size = 0;

  get(text: string, { id }: Dialect): Statement | undefined {
    return this.statements[id]?.get(text);
  }

  set(text: string, { id }: Dialect, statement: Statement): void {
    let statements = this.statements[id];
    if (statements === undefined) {
      statements = new Map();
      this.statements[id] = statements;
    }
    statements.set(text, statement);
    this.variants.set(statement.text, statement.variants);
    this.size++;
  }
}

/**
 * Recently executed statements, so that a repeated one costs one look-up. Bounded: when the recent generation has half the
 * capacity, it replaces the previous one.
 */
export class StatementCache {
  private recent = new Generation();
  private previous = new Generation();
  /** The last long statement: it is looked up several times while it runs. */
  private long: Statement | undefined;
  private longDialect: Dialect | undefined;

  /** @param capacity the maximum number of statements */
  constructor(private readonly capacity = 1000) {}

  /** The number of statements kept. */
  get size(): number {
    return this.recent.size + this.previous.size;
  }

  /** The statement with this text, from the cache or parsed. */
  get(text: string, dialect = UNKNOWN): KnownStatement {
    if (text.length > MAX_KEY) return this.getLong(text, dialect);
    const known = this.recent.get(text, dialect);
    if (known !== undefined) return known;
    const statement = this.previous.get(text, dialect) ?? describeStatement(text, dialect, this.countVariant);
    if (this.recent.size >= this.capacity / 2) {
      this.previous = this.recent;
      this.recent = new Generation();
    }
    this.recent.set(text, dialect, statement);
    return statement;
  }

  /** A text with this fingerprint that was executed recently; undefined where only the fingerprint is known. */
  rawOf(fingerprint: string, { id }: Dialect): string | undefined {
    for (const { statements } of [this.recent, this.previous])
      for (const { text, raw } of statements[id]?.values() ?? [])
        if (text === fingerprint && raw !== text) return raw;
    return undefined;
  }

  private getLong(text: string, dialect: Dialect): KnownStatement {
    if (this.long?.raw === text && this.longDialect === dialect) return this.long;
    const statement = describeStatement(text, dialect, (raw, fingerprint) => {
      this.countVariant(raw, fingerprint);
      return MANY;
    });
    if (text.length <= MAX_LONG) {
      this.long = statement;
      this.longDialect = dialect;
    }
    return statement;
  }

  private readonly countVariant: CountVariant = (raw, text) => {
    const variants = this.recent.variants.get(text) ?? this.previous.variants.get(text) ?? { count: 0 };
    // The normalized text itself, as of a redacted span, is no variant.
    if (raw !== text) variants.count++;
    return variants;
  };
}

/** The statements of this process. */
export const knownStatements = new StatementCache();
