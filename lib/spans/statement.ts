import { performance } from 'node:perf_hooks';
import { summarizeTokens } from './statement-summary.js';
import { MAX_TEXT, writeTokens } from './statement-text.js';
import { isJson, tokenize } from './statement-tokens.js';
import type { Inputs, WorkKey } from './work-group.js';

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
  /**
   * The literals of its text: none, or one value that differs from those of every other text. Absent when values are
   * bound, because the text does not show them.
   */
  readonly inputs: Inputs | undefined;
  /**
   * When this text was first executed, on the clock of `performance.now()`. Infinity once the same statement was executed
   * with other literals: they may be the results of earlier queries.
   */
  readonly firstSeen: number;
}

const READS = /^(?:SELECT|VALUES|SHOW|EXPLAIN)\b/;
const CONTROL =
  /^(?:BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|SHOW|USE|LISTEN|NOTIFY|PREPARE|DEALLOCATE|DECLARE|CLOSE|FETCH|MOVE)\b/;
/** Statements by which health checks and pools test a connection. */
const PING = /^select (?:\?|now\(\)|version\(\)|current_\w+)(?: as "?\w+"?)?;?$/;
/** A bound value: `$1`, `?`, `:name`, `@name`. */
const BOUND = /\$\d|\?|(?<![:\w]):\w|@\w/i;
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
    readonly variants: Variants,
  ) {}

  get firstSeen(): number {
    return this.inputs?.length !== 0 && this.variants.count > 1 ? Number.POSITIVE_INFINITY : this.createdAt;
  }
}

type CountVariant = (raw: string, text: string) => Variants;

function describeStatement(raw: string, countVariant: CountVariant): Statement {
  if (isJson(raw)) return describeJson(raw);
  const tokens = tokenize(raw);
  const { text, folded } = writeTokens(tokens);
  const summary = summarizeTokens(tokens);
  const effect = effectOf(summary, text);
  const key = { fingerprint: text, name: summary, effect, shape: shapeOf(effect, raw, text, folded) };
  return new Statement(raw, text, summary, key, literalsOf(raw, text), countVariant(raw, text));
}

function describeJson(raw: string): Statement {
  const text = raw.length <= MAX_TEXT && WITHOUT_VALUES.test(raw) ? raw : '?';
  const key = { fingerprint: text, name: 'SQL', effect: 'read' } as const;
  return new Statement(raw, text, key.name, key, undefined, MANY);
}

function effectOf(summary: string, text: string): WorkKey['effect'] {
  if (CONTROL.test(summary) || PING.test(text)) return 'control';
  return READS.test(summary) ? 'read' : 'write';
}

function shapeOf(effect: WorkKey['effect'], raw: string, text: string, folded: boolean): WorkKey['shape'] {
  if (effect === 'write' && ((folded && text.includes('values (')) || ROWS.test(text))) return 'rows';
  return text.includes('offset ?') && ONE_ROW.test(raw.slice(0, MAX_KEY)) ? 'row' : undefined;
}

let texts = 0;

function literalsOf(raw: string, text: string): Inputs | undefined {
  if (!text.includes('?')) return [];
  // Negative: the hashes of bound values are not.
  return BOUND.test(raw.slice(0, MAX_KEY)) ? undefined : [-++texts];
}

/** The statements of one generation of the cache, and the variants of their fingerprints. */
class Generation {
  readonly statements = new Map<string, Statement>();
  readonly variants = new Map<string, Variants>();
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

  /** @param capacity the maximum number of statements */
  constructor(private readonly capacity = 1000) {}

  /** The number of statements kept. */
  get size(): number {
    return this.recent.statements.size + this.previous.statements.size;
  }

  /** The statement with this text, from the cache or parsed. */
  get(text: string): KnownStatement {
    if (text.length > MAX_KEY) return this.getLong(text);
    const known = this.recent.statements.get(text);
    if (known !== undefined) return known;
    const statement = this.previous.statements.get(text) ?? describeStatement(text, this.countVariant);
    if (this.recent.statements.size >= this.capacity / 2) {
      this.previous = this.recent;
      this.recent = new Generation();
    }
    this.recent.statements.set(text, statement);
    this.recent.variants.set(statement.text, statement.variants);
    return statement;
  }

  private getLong(text: string): KnownStatement {
    if (this.long?.raw === text) return this.long;
    const statement = describeStatement(text, (raw, fingerprint) => {
      this.countVariant(raw, fingerprint);
      return MANY;
    });
    if (text.length <= MAX_LONG) this.long = statement;
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
