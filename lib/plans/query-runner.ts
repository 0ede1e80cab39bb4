// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { context } from '@opentelemetry/api';
import { UNTRACED } from '../async/untraced.js';
import type { PlanQuery } from './plan-options.js';
import type { Row } from './plan-reader.js';

const MAX_ROWS = 10_000;

/** Runs the statements of plans by the function of the application, outside of its traces and with a time limit. */
export class QueryRunner {
  /** The answer that was not waited for until its end. */
  private late: Promise<unknown> | undefined;

  constructor(
    private readonly query: PlanQuery,
    private readonly timeoutMs: number,
  ) {}

  /** Resolves when the database works on none of its statements. */
  async idle(): Promise<void> {
    await this.late;
  }

  /** @throws Error if the answer takes too long, and what the function throws */
  readonly run = async (statement: string): Promise<readonly Row[]> => {
    await this.late;
    const answer = new Promise<unknown>((resolve) => {
      resolve(context.with(UNTRACED, () => this.query(statement)));
    });
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.late = answer.catch(() => undefined).finally(() => (this.late = undefined));
        reject(new Error(`The database did not answer within ${this.timeoutMs} ms`));
      }, this.timeoutMs).unref();
    });
    try {
      return rowsIn(await Promise.race([answer, limit]));
    } finally {
      clearTimeout(timer);
    }
  };
}

/** The rows of an answer: an array of them, `{ rows }` of pg, `[rows, fields]` of mysql2. */
export function rowsIn(answer: unknown): readonly Row[] {
  const given = Array.isArray(answer) ? answer : (answer as { rows?: unknown } | null | undefined)?.rows;
  if (!Array.isArray(given)) return [];
  const rows: unknown[] = Array.isArray(given[0]) ? given[0] : given;
  return rows.slice(0, MAX_ROWS).filter((row): row is Row => typeof row === 'object' && row !== null);
}
