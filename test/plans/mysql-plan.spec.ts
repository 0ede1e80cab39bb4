import { describe, expect, it } from '@jest/globals';
import { readMysqlPlan } from '../../lib/plans/mysql-plan.js';
import { PlanBounds, TooLarge } from '../../lib/plans/plan-node.js';
import { sendable } from '../../lib/plans/sendable.js';
import { partsOf } from '../../lib/plans/statement-parts.js';
import { MYSQL } from '../../lib/spans/statement-dialect.js';

const read = (plan: unknown, statement = 'SELECT * FROM track t WHERE t.album_id = ?') =>
  readMysqlPlan(plan, partsOf(sendable(statement, MYSQL)?.tokens ?? []), new PlanBounds());

/** As MySQL 8 writes it, which differs from MariaDB. */
const TABLE = {
  table_name: 't',
  access_type: 'ALL',
  rows_examined_per_scan: 14_848,
  rows_produced_per_join: 1484,
  filtered: '10.00',
  cost_info: { read_cost: '1370.02', eval_cost: '148.48' },
  used_columns: ['id', 'album_id'],
  attached_condition: "(`store`.`t`.`album_id` = '2000-01-01')",
};

describe('readMysqlPlan', () => {
  it('reads a table that MySQL 8 scans', () => {
    const root = read({ query_block: { select_id: 1, cost_info: { query_cost: '1.00' }, table: TABLE } });
    expect(root).toMatchObject({
      kind: 'other',
      children: [
        {
          kind: 'scan',
          alias: 't',
          table: { name: 'track' },
          conditions: [{ kind: 'equal', column: { table: 't', column: 'album_id' } }],
        },
      ],
    });
  });

  it('reads an order and its limit', () => {
    const { attached_condition: _, ...table } = TABLE;
    const root = read(
      { query_block: { select_id: 1, ordering_operation: { using_filesort: true, table } } },
      'SELECT * FROM track t ORDER BY t.made DESC LIMIT 10',
    );
    expect(root).toMatchObject({
      kind: 'limit',
      children: [
        {
          kind: 'sort',
          sort: [{ alias: 't', column: 'made', direction: 'DESC' }],
          children: [{ kind: 'scan' }],
        },
      ],
    });
  });

  it('knows a subquery that runs for each row', () => {
    const root = read({
      query_block: {
        select_id: 1,
        table: { table_name: 'a', access_type: 'ALL', rows_examined_per_scan: 1500 },
        select_list_subqueries: [
          { dependent: true, cacheable: false, query_block: { select_id: 2, table: TABLE } },
        ],
      },
    });
    expect(root?.children.map(({ perRow }) => perRow)).toEqual([false, true]);
  });

  it.each([
    ['null', null],
    ['a list', []],
    ['a text', 'query_block'],
    ['format 2', { query: '/* select#1 */ …', inputs: [], operation: 'Filter' }],
    ['no table', { query_block: { select_id: 1, message: 'Impossible WHERE' } }],
    ['parts of another kind', { query_block: { table: 'track', nested_loop: [null, 1, [[]]] } }],
  ])('reads nothing from %s', (_what, plan) => {
    expect(read(plan)).toBeUndefined();
  });

  it('is bounded', () => {
    let deep: object = { table: TABLE };
    for (let n = 0; n < 60; n++) deep = { query_block: deep };
    expect(() => read({ query_block: deep })).toThrow(TooLarge);
    const wide = { nested_loop: Array.from({ length: 600 }, () => ({ table: TABLE })) };
    expect(() => read({ query_block: wide })).toThrow(TooLarge);
  });
});
