// Not the global ones, which a test of the application may have replaced.
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import type { Attributes } from '@opentelemetry/api';
import { reasonOf } from '../async/thrown.js';
import type { LiveSpan } from '../spans/live-span.js';
import { knownStatements } from '../spans/statement.js';
import { type Dialect, dialectOf } from '../spans/statement-dialect.js';
import { errorWithoutValues } from '../text/error-text.js';
import type { ResolvedPlanOptions } from './plan-options.js';
import { QueryRunner } from './query-runner.js';
import type { StatementExplainer } from './statement-explainer.js';
import type { ExecutedStatement, StatementPlan } from './statement-plan.js';

/** Longer statements are not sent, see `sendable`, which is loaded with the first plan. */
const MAX_TEXT = 8000;
/** Statements whose next execution is awaited. */
const MAX_WANTED = 100;
/** How often it is checked whether tables or indexes have changed. */
const SCHEMA_MS = 60_000;
/** A statement that could not be explained is tried again when it is slow once more, so often and so much later. */
const MAX_TRIES = 3;
const RETRY_MS = 60_000;
/** The first one is explained after the request that executed it. */
const DELAY_MS = 20;

interface Entry {
  executed: ExecutedStatement;
  plan: StatementPlan | undefined;
  isQueued: boolean;
  /** Whether its text has values in it. */
  readonly hasLiterals: boolean;
  /** How often it could not be explained, and when it may be tried again. */
  failures: number;
  retryAt: number;
}

/**
 * The plans of slow and repeated statements, by fingerprint. Each is explained once, and again when tables or indexes have
 * changed: one at a time, at most one in each interval, and never within a request.
 */
export class Plans {
  private readonly entries = new Map<string, Entry>();
  private readonly wanted = new Set<string>();
  private readonly queue: string[] = [];
  private readonly schemas = new Map<Dialect, string | undefined>();
  private readonly runner: QueryRunner;
  private explainer: StatementExplainer | undefined;
  private timer: NodeJS.Timeout | undefined;
  private schemaTimer: NodeJS.Timeout | undefined;
  private isBusy = false;
  private isSchemaDue = false;
  /** Called with the fingerprint of a statement whose plan is new. Must not throw. */
  onPlan: ((fingerprint: string) => void) | undefined;
  private isStopped = false;
  private hasWarned = false;
  private nextAt = 0;

  /** @param warn receives the first error */
  constructor(
    private readonly options: ResolvedPlanOptions,
    private readonly warn: (message: string) => void,
    private readonly schemaMs = SCHEMA_MS,
  ) {
    this.runner = new QueryRunner(options.query, options.timeoutMs);
  }

  /** A plan, once it is known and shows something. */
  of(fingerprint: string | undefined): StatementPlan | undefined {
    return fingerprint === undefined ? undefined : this.entries.get(fingerprint)?.plan;
  }

  /** The number of statements that are known. */
  get size(): number {
    return this.entries.size;
  }

  /** A statement matters, though it is not slow: it is explained after its next execution. */
  want(fingerprint: string): void {
    if (this.entries.has(fingerprint) || this.isStopped) return;
    if (this.wanted.size >= MAX_WANTED)
      for (const oldest of this.wanted) {
        this.wanted.delete(oldest);
        break;
      }
    this.wanted.add(fingerprint);
  }

  /** A statement ended without an error. It is explained if it was slow or is wanted. */
  ended({ description, span, rows }: LiveSpan, isSlow: boolean): void {
    const statement = description?.statement;
    if (statement === undefined || (!isSlow && !this.wanted.has(statement.text)) || this.isStopped) return;
    const { text: fingerprint, raw, key, literals } = statement;
    this.wanted.delete(fingerprint);
    if (key.effect === 'control' || raw.length > MAX_TEXT) return;
    const known = this.entries.get(fingerprint);
    if (known !== undefined) {
      // The order of the map is the order in which they were slow last.
      this.entries.delete(fingerprint);
      this.entries.set(fingerprint, known);
      if (known.failures > 0 && known.failures < MAX_TRIES && Date.now() >= known.retryAt) {
        known.executed = { ...known.executed, text: raw };
        this.enqueue(fingerprint);
      }
      return;
    }
    const { attributes = {} } = span as { attributes?: Attributes };
    const database = attributes['db.namespace'] ?? attributes['db.name'];
    const executed = {
      text: raw,
      dialect: dialectOf(attributes),
      database: typeof database === 'string' ? database : undefined,
      rows,
    };
    this.add(fingerprint, executed, literals?.length !== 0);
  }

  /** Adds a statement that was executed. @param hasLiterals whether its text has values in it, which are not kept */
  add(fingerprint: string, executed: ExecutedStatement, hasLiterals = false): void {
    if (this.isStopped) return;
    if (this.entries.size >= this.options.maxPlans)
      for (const [oldest, { isQueued }] of this.entries) {
        this.entries.delete(oldest);
        if (isQueued) this.queue.splice(this.queue.indexOf(oldest), 1);
        break;
      }
    this.entries.set(fingerprint, {
      executed,
      hasLiterals,
      plan: undefined,
      isQueued: false,
      failures: 0,
      retryAt: 0,
    });
    this.enqueue(fingerprint);
  }

  /** Explains no further statement. */
  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    clearInterval(this.schemaTimer);
    this.queue.length = 0;
    this.wanted.clear();
  }

  private enqueue(fingerprint: string): void {
    const entry = this.entries.get(fingerprint);
    if (entry === undefined || entry.isQueued) return;
    entry.isQueued = true;
    this.queue.push(fingerprint);
    this.schedule();
  }

  private schedule(): void {
    if (this.isStopped || this.isBusy || this.timer !== undefined) return;
    if (this.queue.length === 0 && !this.isSchemaDue) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        void this.work();
      },
      Math.max(DELAY_MS, this.nextAt - Date.now()),
    ).unref();
  }

  /** Explains the next statement, or checks the schema. Never rejects. */
  private async work(): Promise<void> {
    this.isBusy = true;
    try {
      if (this.explainer === undefined) {
        const { StatementExplainer } = await import('./statement-explainer.js');
        this.explainer = new StatementExplainer(this.runner.run);
      }
      if (this.isSchemaDue) await this.checkSchemas(this.explainer);
      else await this.explainNext(this.explainer);
    } catch (error) {
      this.fail(error);
    }
    await this.runner.idle();
    this.nextAt = Date.now() + this.options.intervalMs;
    this.isBusy = false;
    this.schedule();
  }

  private async explainNext(explainer: StatementExplainer): Promise<void> {
    const fingerprint = this.queue.shift();
    const entry = fingerprint === undefined ? undefined : this.entries.get(fingerprint);
    if (fingerprint === undefined || entry === undefined) return;
    entry.isQueued = false;
    const { executed } = entry;
    const { dialect, text } = executed;
    this.watchSchema();
    // Some drivers report a statement without its literals. The text that was executed is mostly still known.
    const raw = text === fingerprint ? (knownStatements.rawOf(fingerprint, dialect) ?? text) : text;
    await this.readSchema(explainer, dialect);
    // What is kept has no literals. Another execution brings them again.
    if (entry.hasLiterals) entry.executed = { ...executed, text: fingerprint };
    try {
      const explained = await explainer.explain({ ...executed, text: raw });
      entry.plan = explained === undefined ? undefined : { ...explained, explainedAt: Date.now() };
      entry.failures = 0;
      if (entry.plan !== undefined) this.onPlan?.(fingerprint);
    } catch (error) {
      // Without its literals a statement may be none: INTERVAL ?
      if (raw === fingerprint && fingerprint.includes('?')) return;
      entry.failures++;
      entry.retryAt = Date.now() + RETRY_MS;
      throw error;
    }
  }

  /** Without it, plans are read once. It is read again with the next statement. */
  private async readSchema(explainer: StatementExplainer, dialect: Dialect): Promise<void> {
    if (this.schemas.has(dialect)) return;
    try {
      this.schemas.set(dialect, await explainer.schema(dialect));
    } catch (error) {
      this.fail(error);
    }
  }

  private watchSchema(): void {
    if (this.isStopped) return;
    this.schemaTimer ??= setInterval(() => {
      this.isSchemaDue = true;
      this.schedule();
    }, this.schemaMs).unref();
  }

  private async checkSchemas(explainer: StatementExplainer): Promise<void> {
    this.isSchemaDue = false;
    for (const [dialect, before] of [...this.schemas]) {
      if (before === undefined) continue;
      const schema = await explainer.schema(dialect);
      if (schema === before) continue;
      this.schemas.set(dialect, schema);
      for (const [fingerprint, { executed }] of this.entries)
        if (executed.dialect === dialect) this.enqueue(fingerprint);
    }
  }

  private fail(error: unknown): void {
    if (this.hasWarned || this.isStopped) return;
    this.hasWarned = true;
    const reason = errorWithoutValues(reasonOf(error));
    this.warn(
      `A plan could not be read by detection.plans.query: ${reason}. Further errors of plans are not reported.`,
    );
  }
}
