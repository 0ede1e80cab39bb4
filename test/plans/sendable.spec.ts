import { describe, expect, it } from '@jest/globals';
import { placeholdersReplaced, sendable } from '../../lib/plans/sendable.js';
import { partsOf } from '../../lib/plans/statement-parts.js';
import { MYSQL, POSTGRES, SQLITE } from '../../lib/spans/statement-dialect.js';

describe('sendable', () => {
  it.each([
    'SELECT 1',
    '  select * from a where b = $1 ; ',
    '(SELECT 1) UNION (SELECT 2)',
    'WITH x AS (SELECT 1) SELECT * FROM x',
    'WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x',
    'INSERT INTO a (b) VALUES ($1)',
    'INSERT INTO a SELECT * FROM b',
    '-- why\nSELECT * FROM a WHERE b = $1',
    'update a set b = 1 where c = 2',
  ])('accepts %s', (text) => {
    expect(sendable(text, POSTGRES)?.text).toBe(text.replace(/[\s;]+$/, '').trimStart());
  });

  it.each([
    '',
    ';',
    'SELECT 1; SELECT 2',
    "SELECT ';'",
    "SELECT '\\'; DELETE FROM a; --'",
    'SELECT $$;$$',
    'SELECT 1 -- ; ;a',
    'SELECT 1\0',
    'BEGIN',
    'COMMIT',
    'SET x = 1',
    'COPY a FROM stdin',
    'TRUNCATE a',
    'ALTER TABLE a ADD b int',
    'MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE',
    'EXPLAIN SELECT 1',
    'ANALYZE SELECT 1',
    'SELECT * INTO b FROM a',
    'SELECT /*!50000 sleep(1) */ 1',
    'SELECT /*M! sleep(1) */ 1',
    'SELECT * FROM a WHERE b IN (1, 2, …',
    'SELECT * FROM a WHERE',
    '{ "find": "a" }',
    'toString',
  ])('refuses %s', (text) => {
    expect(sendable(text, POSTGRES)).toBeUndefined();
  });

  it('replaces placeholders, and no other question mark', () => {
    const text = `SELECT '?', "a?", \`b?\` /* ? */ FROM a -- ?\n WHERE b = ? AND c = '\\'?' AND d = ?`;
    expect(placeholdersReplaced(text, (index) => `$${index + 1}`)).toBe(
      `SELECT '?', "a?", \`b?\` /* ? */ FROM a -- ?\n WHERE b = $1 AND c = '\\'?' AND d = $2`,
    );
  });

  it.each([MYSQL, SQLITE])('takes linear time for hostile texts', (dialect) => {
    const began = process.cpuUsage().user;
    for (const part of ['(', "'", '"', '/*', '--', '((select', ' from a,', ' and', 'a.', '?,'])
      sendable(`SELECT ${part.repeat(7900 / part.length)}`, dialect);
    expect(process.cpuUsage().user - began).toBeLessThan(5_000_000);
  });
});

describe('partsOf', () => {
  const parts = (text: string) => partsOf(sendable(text, MYSQL)?.tokens ?? []);

  it('knows tables by their aliases', () => {
    const { tables } = parts(
      'SELECT * FROM track AS t, `album` a JOIN shop.sale ON sale.id = t.id WHERE t.id = 1',
    );
    expect([...tables]).toEqual([
      ['t', { name: 'track' }],
      ['a', { name: 'album' }],
      ['sale', { schema: 'shop', name: 'sale' }],
    ]);
  });

  it('knows no table that two names stand for', () => {
    expect(parts('SELECT * FROM a x WHERE EXISTS (SELECT 1 FROM b x)').tables.size).toBe(0);
  });

  it('reads order and limit of a simple statement', () => {
    expect(parts('SELECT * FROM a WHERE b = 1 ORDER BY c DESC, a.d LIMIT 5')).toMatchObject({
      isSimple: true,
      hasLimit: true,
      order: [
        { alias: undefined, column: 'c', direction: 'DESC' },
        { alias: 'a', column: 'd', direction: '' },
      ],
      conditions: [{ kind: 'equal', column: { column: 'b' } }],
    });
    expect(parts('SELECT * FROM a ORDER BY lower(c) LIMIT 5').order).toBeUndefined();
    expect(parts('SELECT * FROM a JOIN b ON a.id = b.id').isSimple).toBe(false);
  });
});
