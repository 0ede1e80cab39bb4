import type { CallSite } from '../code/call-site.js';
import { BUCKETS, LatencyHistogram, percentileOf } from '../inference/latency-histogram.js';
import type { StatementPlan } from '../plans/statement-plan.js';
import type { WorkKey } from '../spans/work-group.js';
import { round } from '../text/round.js';

/** Routes that are counted for one statement. */
const MAX_ROUTES = 10;

/** One statement, whatever its literals: how often, how long, from where. Durations are milliseconds. */
export interface SlowQuery {
  /** The statement without its literals. */
  fingerprint: string;
  /** `SELECT track` */
  name: string;
  /** `SELECT`, and the table where there is one. */
  operation: string;
  table?: string;
  count: number;
  slowCount: number;
  errorCount: number;
  totalMs: number;
  avgMs: number;
  maxMs: number;
  /** At most 2 % off. */
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  /** Rows read or written on average, where the driver reports them. */
  avgRows?: number;
  /** The operations that run it, the most frequent first. */
  routes: { name: string; count: number }[];
  /** The line of the application's code that runs it, where it is known. */
  callSite?: CallSite;
  /** Its plan, where `detection.plans` is set and the plan shows something. */
  plan?: StatementPlan;
}

class QueryStatistics {
  count = 0;
  slow = 0;
  errors = 0;
  totalMs = 0;
  maxMs = 0;
  rows = 0;
  withRows = 0;
  readonly latencies = new LatencyHistogram();
  readonly routes = new Map<string, number>();

  constructor(readonly key: WorkKey) {}
}

/** The statistics of every statement, by its fingerprint. Statements beyond the capacity are counted as dropped. */
export class SlowQueries {
  private readonly queries = new Map<string, QueryStatistics>();
  dropped = 0;

  constructor(private readonly capacity: number) {}

  /** The number of statements. */
  get size(): number {
    return this.queries.size;
  }

  /** Counts one statement. */
  record(
    key: WorkKey,
    durationMs: number,
    slow: boolean,
    error: boolean,
    rows: number | undefined,
    route: string | undefined,
  ): void {
    let query = this.queries.get(key.fingerprint);
    if (query === undefined) {
      if (this.queries.size >= this.capacity) {
        this.dropped++;
        return;
      }
      query = new QueryStatistics(key);
      this.queries.set(key.fingerprint, query);
    }
    query.count++;
    if (slow) query.slow++;
    if (error) query.errors++;
    query.totalMs += durationMs;
    if (durationMs > query.maxMs) query.maxMs = durationMs;
    query.latencies.record(durationMs);
    if (rows !== undefined) {
      query.rows += rows;
      query.withRows++;
    }
    if (route === undefined) return;
    const known = query.routes.get(route);
    if (known !== undefined || query.routes.size < MAX_ROUTES) query.routes.set(route, (known ?? 0) + 1);
  }

  /** Those that were slow at least once, or all of them; the most time first. @param options.route the operation that runs them */
  list(options: {
    limit: number;
    all: boolean;
    route?: string | undefined;
    locate: (fingerprint: string) => CallSite | undefined;
  }): SlowQuery[] {
    return [...this.queries.values()]
      .filter(({ slow }) => options.all || slow > 0)
      .filter(({ routes }) => options.route === undefined || routes.has(options.route))
      .sort((a, b) => b.totalMs - a.totalMs)
      .slice(0, options.limit)
      .map((query) => describe(query, options.locate));
  }

  clear(): void {
    this.queries.clear();
    this.dropped = 0;
  }
}

const counts = new Float64Array(BUCKETS);

function describe(query: QueryStatistics, locate: (fingerprint: string) => CallSite | undefined): SlowQuery {
  const { key, count, totalMs, maxMs } = query;
  counts.fill(0);
  query.latencies.addTo(counts);
  const percentile = (p: number): number => round(percentileOf(counts, count, p, maxMs));
  const [operation = key.name, table] = key.name.split(' ');
  const callSite = locate(key.fingerprint);
  return {
    fingerprint: key.fingerprint,
    name: key.name,
    operation,
    ...(table === undefined ? {} : { table }),
    count,
    slowCount: query.slow,
    errorCount: query.errors,
    totalMs: round(totalMs),
    avgMs: round(totalMs / count),
    maxMs: round(maxMs),
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    p99Ms: percentile(0.99),
    ...(query.withRows === 0 ? {} : { avgRows: round(query.rows / query.withRows) }),
    routes: [...query.routes]
      .map(([name, times]) => ({ name, count: times }))
      .sort((a, b) => b.count - a.count),
    ...(callSite === undefined ? {} : { callSite }),
  };
}
