import { inspect } from 'node:util';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { SpanKind } from '@opentelemetry/api';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { type PlanQuery } from '../../lib/plans/plan-options.js';
import { Plans } from '../../lib/plans/plans.js';
import type { ExecutedStatement } from '../../lib/plans/statement-plan.js';
import { type LiveSpan, liveSpanOf } from '../../lib/spans/live-span.js';
import { POSTGRES } from '../../lib/spans/statement-dialect.js';
import { until } from '../support/application.js';
import { sleep, startTracing } from '../support/tracing.js';

const SERVER = { version: 'PostgreSQL 18.0', number: '180000', database: 'store' };
const SCAN = {
  'Node Type': 'Seq Scan',
  'Relation Name': 'track',
  Schema: 'public',
  Alias: 'track',
  'Plan Rows': 10,
  'Plan Width': 50,
  Filter: '(track.album_id = $1)',
};
const TABLE = {
  schema: 'public',
  name: 'track',
  rows: 15_000,
  partition: false,
  indexes: null,
  columns: [{ name: 'album_id', type: 'integer', distinct: 1500, nulls: 0, width: 4 }],
};

/** Answers as Postgres does. */
function answer(statement: string, plan: unknown = SCAN, schema = '1'): unknown {
  if (statement.startsWith('EXPLAIN')) return { rows: [{ 'QUERY PLAN': [{ Plan: plan }] }] };
  if (statement.startsWith('SELECT version()')) return [SERVER];
  if (statement.startsWith('SELECT count(*) ||')) return [{ schema }];
  return { rows: [TABLE] };
}

describe('Plans', () => {
  const started: Plans[] = [];
  const warnings: string[] = [];
  afterEach(() => {
    for (const plans of started.splice(0)) plans.stop();
    warnings.length = 0;
  });

  function plansBy(
    query: PlanQuery,
    { timeoutMs = 1000, intervalMs = 10, maxPlans = 50, schemaMs = 60_000 } = {},
  ): Plans {
    const options = { query, timeoutMs, intervalMs, maxPlans };
    const plans = new Plans(options, (message) => warnings.push(message), schemaMs);
    started.push(plans);
    return plans;
  }
  const executed = (text = 'SELECT * FROM track WHERE album_id = $1'): ExecutedStatement => ({
    text,
    dialect: POSTGRES,
    database: 'store',
    rows: undefined,
  });

  it('explains a statement once, after the call that reported it', async () => {
    const sent: string[] = [];
    const plans = plansBy((statement) => {
      sent.push(statement);
      return answer(statement);
    });
    plans.add('q', executed());
    expect(sent).toEqual([]);
    await until(() => plans.of('q') !== undefined);
    expect(plans.of('q')).toEqual({
      explanation: 'Reads all 15,000 rows of track to keep about 10; no index has album_id.',
      suggestedIndex: {
        statement: 'CREATE INDEX ON track (album_id)',
        table: 'track',
        columns: ['album_id'],
        rowsRead: 15_000,
        rowsReadWithIndex: 10,
      },
      explainedAt: expect.any(Number),
    });
    await sleep(60);
    expect(sent.filter((statement) => statement.startsWith('EXPLAIN'))).toHaveLength(1);
    expect(plans.of('toString')).toBeUndefined();
    expect(plans.of(undefined)).toBeUndefined();
  });

  it('tries a statement again that could not be explained, when it is slow a minute later', async () => {
    const tracing = startTracing({ databaseThresholdMs: 1 });
    const now = jest.spyOn(Date, 'now');
    try {
      let fails = true;
      const sent: string[] = [];
      const plans = plansBy((statement) => {
        sent.push(statement);
        if (fails && statement.startsWith('EXPLAIN')) throw new Error('too busy');
        return answer(statement);
      });
      const slow = (): void => {
        const span = tracing.provider.getTracer('test').startSpan('pg.query', {
          kind: SpanKind.CLIENT,
          attributes: {
            'db.system.name': 'postgresql',
            'db.namespace': 'store',
            'db.query.text': 'SELECT * FROM track WHERE album_id = $1',
          },
        });
        span.end();
        plans.ended(liveSpanOf(span) as LiveSpan, true);
      };
      slow();
      await until(() => warnings.length === 1);
      fails = false;
      slow();
      await sleep(80);
      expect(sent.filter((statement) => statement.startsWith('EXPLAIN'))).toHaveLength(1);
      const real = performance.timeOrigin;
      now.mockImplementation(() => real + performance.now() + 61_000);
      slow();
      await until(() => plans.of('select * from track where album_id = ?') !== undefined);
    } finally {
      now.mockRestore();
      await tracing.shutdown();
    }
  });

  it('keeps no literal of a statement once it is explained', async () => {
    const plans = plansBy((statement) => answer(statement));
    plans.add('q', { ...executed(`SELECT * FROM track WHERE album_id = 'zqx-secret'`) }, true);
    await until(() => plans.of('q') !== undefined);
    expect(inspect(plans, { depth: 10, maxStringLength: null })).not.toContain('zqx');
  });

  it('forgets the statement that was wanted first, not the last one', async () => {
    const plans = plansBy((statement) => answer(statement));
    for (let n = 0; n < 101; n++) plans.want(`q${n}`);
    expect(inspect(plans, { depth: 3, maxArrayLength: null })).toContain(`'q100'`);
    expect(inspect(plans, { depth: 3, maxArrayLength: null })).not.toContain(`'q0'`);
  });

  it('runs one statement at a time, and explains one in each interval', async () => {
    let running = 0;
    let most = 0;
    const explained: number[] = [];
    const plans = plansBy(
      async (statement) => {
        most = Math.max(most, ++running);
        if (statement.startsWith('EXPLAIN')) explained.push(Date.now());
        await sleep(5);
        running--;
        return answer(statement);
      },
      { intervalMs: 80 },
    );
    for (let n = 0; n < 4; n++) plans.add(`q${n}`, executed());
    await until(() => explained.length === 4);
    expect(most).toBe(1);
    for (const [n, at] of explained.slice(1).entries()) expect(at - (explained[n] ?? 0)).toBeGreaterThan(60);
  });

  it('keeps up to maxPlans, and drops the one that was added first', async () => {
    const sent: string[] = [];
    const plans = plansBy((statement) => sent.push(statement) && answer(statement), { maxPlans: 3 });
    for (let n = 0; n < 1000; n++)
      plans.add(`q${n}`, executed(`SELECT * FROM track WHERE album_id = $1 AND ${n} = ${n}`));
    expect(plans.size).toBe(3);
    await until(() => plans.of('q999') !== undefined);
    expect(plans.of('q997')).toBeDefined();
    expect(plans.of('q0')).toBeUndefined();
    expect(sent.filter((statement) => statement.startsWith('EXPLAIN'))).toHaveLength(3);
  });

  it('stops waiting after timeoutMs, and asks nothing else until the late answer', async () => {
    let release: () => void = () => {};
    const sent: string[] = [];
    const plans = plansBy(
      async (statement) => {
        sent.push(statement);
        if (sent.length === 1) await new Promise<void>((resolve) => (release = resolve));
        return answer(statement);
      },
      { timeoutMs: 30 },
    );
    plans.add('q1', executed());
    plans.add('q2', executed());
    await until(() => warnings.length > 0);
    expect(warnings[0]).toMatch(/^A plan could not be read by detection\.plans\.query: /);
    await sleep(80);
    expect(sent).toHaveLength(1);
    release();
    await until(() => plans.of('q2') !== undefined);
    expect(warnings).toHaveLength(1);
  });

  it.each<[string, PlanQuery]>([
    [
      'throws',
      () => {
        throw new Error('connection refused');
      },
    ],
    ['rejects', () => Promise.reject(new Error('connection refused'))],
    ['rejects with nothing', () => Promise.reject(undefined)],
    [
      'throws an object without a prototype',
      () => {
        throw Object.create(null);
      },
    ],
  ])('warns once of a query that %s', async (_how, query) => {
    const plans = plansBy(query);
    for (let n = 0; n < 5; n++) plans.add(`q${n}`, executed());
    await until(() => warnings.length > 0);
    await sleep(150);
    expect(warnings).toHaveLength(1);
    expect(plans.of('q0')).toBeUndefined();
  });

  it('shows no value of a statement in its warning', async () => {
    plansBy(() => Promise.reject(new Error(`invalid input syntax for type integer: "secret-4711"`))).add(
      'q',
      executed(),
    );
    await until(() => warnings.length > 0);
    expect(warnings[0]).not.toContain('secret');
  });

  it('asks nothing after it was stopped', async () => {
    const sent: string[] = [];
    const plans = plansBy((statement) => sent.push(statement) && answer(statement));
    plans.add('q1', executed());
    plans.stop();
    plans.add('q2', executed());
    plans.want('q3');
    await sleep(80);
    expect(sent).toEqual([]);
    expect(plans.size).toBe(1);
  });

  it('ends with its monitor', async () => {
    const sent: string[] = [];
    const query: PlanQuery = (statement) => sent.push(statement) && answer(statement);
    const { monitor, provider, shutdown } = startTracing({
      databaseThresholdMs: 0,
      detection: { plans: { query, intervalMs: 10 } },
    });
    const run = (): void => {
      const attributes = {
        'db.system.name': 'postgresql',
        'db.query.text': `SELECT ${++count} FROM track WHERE album_id = $1`,
      };
      const span = provider.getTracer('test').startSpan('query', { kind: SpanKind.CLIENT, attributes });
      span.end(Date.now() + 50);
    };
    let count = 0;
    run();
    await until(() => monitor.getSlowQueries()[0]?.plan !== undefined);
    expect(monitor.getSlowOperations()[0]?.plan).toBeDefined();
    const before = sent.length;
    await monitor.shutdown();
    run();
    await sleep(60);
    expect(sent).toHaveLength(before);
    await shutdown();
  });

  it('is not there without detection.explain', () => {
    const monitor = new PerformanceMonitor({ detection: { explain: false, plans: { query: () => [] } } });
    expect(monitor.getSlowQueries()).toEqual([]);
    void monitor.shutdown();
  });

  it('explains again when the schema has changed', async () => {
    let schema = '1';
    let plan: unknown = SCAN;
    let explained = 0;
    const plans = plansBy(
      (statement) => {
        if (statement.startsWith('EXPLAIN')) explained++;
        return answer(statement, plan, schema);
      },
      { schemaMs: 30 },
    );
    plans.add('q', executed());
    await until(() => plans.of('q') !== undefined);
    await sleep(120);
    expect(explained).toBe(1);
    schema = '2';
    plan = { ...SCAN, 'Node Type': 'Index Scan', 'Index Name': 'track_album_id' };
    await until(() => plans.of('q') === undefined);
    expect(explained).toBe(2);
  });

  it('keeps no process alive', async () => {
    const plans = plansBy(() => new Promise(() => {}), { timeoutMs: 60_000 });
    plans.add('q', executed());
    await sleep(60);
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
    plans.stop();
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBe(timers.length);
  });

  describe('with hostile answers', () => {
    const deep = (depth: number): object => {
      let plan: object = SCAN;
      for (let n = 0; n < depth; n++) plan = { 'Node Type': 'Result', Plans: [plan] };
      return plan;
    };

    it.each<[string, unknown]>([
      ['a plan that is too deep', deep(60)],
      ['a plan of too many steps', { 'Node Type': 'Append', Plans: Array.from({ length: 600 }, () => SCAN) }],
      ['null', null],
      ['a text', 'Seq Scan on track'],
      ['a list', [SCAN]],
      ['no step', {}],
      [
        'parts of another kind',
        { 'Node Type': 7, Plans: 'x', Filter: {}, 'Plan Rows': 'many', 'Sort Key': [null] },
      ],
      ['steps of another kind', { 'Node Type': 'Limit', Plans: [null, 1, 'x', []] }],
      [
        'names of Object.prototype',
        { ...SCAN, 'Relation Name': 'toString', Filter: '(constructor.valueOf = $1)' },
      ],
      ['names that are no names', { ...SCAN, 'Relation Name': `x'; DROP TABLE track; --`, Alias: '"' }],
    ])('says nothing of %s', async (_what, plan) => {
      const sent: string[] = [];
      const plans = plansBy((statement) => sent.push(statement) && answer(statement, plan));
      plans.add('q', executed());
      await until(() => sent.some((statement) => statement.startsWith('EXPLAIN')));
      await sleep(50);
      expect(plans.of('q')).toBeUndefined();
      expect(warnings).toEqual([]);
      expect(sent.join('\n')).not.toContain('DROP');
    });

    it.each<[string, unknown]>([
      ['undefined', undefined],
      ['a number', 7],
      ['rows of another kind', { rows: [1, null, 'x'] }],
      ['no rows', []],
      ['JSON that is none', [{ 'QUERY PLAN': '[{"Plan": ' }]],
      ['a text that is too long', [{ 'QUERY PLAN': `[{"Plan": {"x": "${'x'.repeat(1_100_000)}"}}]` }]],
    ])('says nothing of %s', async (_what, given) => {
      let asked = 0;
      const plans = plansBy((statement) => {
        if (!statement.startsWith('EXPLAIN')) return answer(statement);
        asked++;
        return given;
      });
      plans.add('q', executed());
      await until(() => asked > 0);
      await sleep(50);
      expect(plans.of('q')).toBeUndefined();
    });

    it('asks no server that only speaks the protocol of Postgres', async () => {
      const sent: string[] = [];
      const plans = plansBy((statement) => {
        sent.push(statement);
        return statement.startsWith('SELECT version()')
          ? [{ version: 'CockroachDB CCL v24.1', number: '130000', database: 'store' }]
          : answer(statement);
      });
      plans.add('q', executed());
      await sleep(120);
      expect(sent.some((statement) => statement.startsWith('EXPLAIN'))).toBe(false);
    });

    it('explains statements without bound values on Postgres before version 16, and no others', async () => {
      const sent: string[] = [];
      const plans = plansBy((statement) => {
        sent.push(statement);
        return statement.startsWith('SELECT version()')
          ? [{ ...SERVER, number: '150020' }]
          : answer(statement);
      });
      plans.add('bound', executed());
      plans.add('literal', executed('SELECT * FROM track WHERE album_id = 7'));
      await until(() => plans.of('literal') !== undefined);
      expect(sent.filter((statement) => statement.startsWith('EXPLAIN'))).toEqual([
        'EXPLAIN (VERBOSE, FORMAT JSON) SELECT * FROM track WHERE album_id = 7',
      ]);
    });
  });
});
