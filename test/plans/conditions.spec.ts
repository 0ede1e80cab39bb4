import { describe, expect, it } from '@jest/globals';
import { type Condition, readConditions } from '../../lib/plans/conditions.js';
import { MYSQL, POSTGRES } from '../../lib/spans/statement-dialect.js';

/** A condition in short: `equal album_id`. */
function short(condition: Condition): string {
  if ('columns' in condition) return `${condition.kind} ${condition.columns.join(' ')}`.trim();
  const { column } = condition.column;
  if (condition.kind === 'join') return `join ${column} ${condition.other.column}`;
  return `${condition.kind === 'function' ? condition.name : condition.kind} ${column}`;
}
const read = (text: string, dialect = POSTGRES): string[] => readConditions(text, dialect).map(short);

describe('readConditions', () => {
  it.each([
    ['(track.album_id = $1)', ['equal album_id']],
    ["((track.title)::text = 'x'::text)", ['equal title']],
    ['($1 = track.album_id)', ['equal album_id']],
    ["((t.a = 1) AND (t.b = ANY ('{1,2}'::integer[])))", ['equal a', 'equal b']],
    ['((t.a = ANY (ARRAY[$1, $2])) AND (t.b IS NULL))', ['equal a', 'null b']],
    ['(t."albumId" = $1)', ['equal albumId']],
    ['(t.album_id = a.id)', ['join album_id id']],
    ['(lower((t.email)::text) = lower($1))', ['other email']],
    ['(lower((t.email)::text) = $1)', ['lower email']],
    ["(t.at > (now() - '7 days'::interval))", ['range at']],
    ["(t.at >= '2020-01-01 00:00:00+00'::timestamp with time zone)", ['range at']],
    ["((t.title)::text ~~ '%x%'::text)", ['pattern title']],
    ["((t.title)::text !~~ '%x%'::text)", ['other title']],
    ['((t.a = $1) OR (t.b = $2))', ['either a b']],
    ['(((t.a = $1) OR (t.b = $2)) AND (t.c = $3))', ['either a b', 'equal c']],
    ['(t.a <> $1)', ['other a']],
    ['(NOT t.active)', ['other active']],
    ['t.active', ['other active']],
    ['(t.a IS NOT NULL)', ['other a']],
    ['(t.a = t.b)', ['other a b']],
    ['((t.a + 1) = $1)', ['other a']],
    ['(t.a = (InitPlan 1).col1)', ['equal a']],
    ['((t.data ->> $1) = $2)', ['other data']],
    ['(t.a = abs(t.b))', ['other a b']],
    ['((t.price)::numeric = 1.5)', ['other price']],
    ['', []],
    ['()', []],
    [')))(((', ['other']],
    ['and or and', ['either']],
    ['(t.toString = $1)', ['equal tostring']],
    ['(t."constructor" = $1)', ['equal constructor']],
  ])('reads %s', (text, conditions) => {
    expect(read(text)).toEqual(conditions);
  });

  it.each([
    ['(`store`.`track`.`album_id` = 5)', ['equal album_id']],
    ["t.at = TIMESTAMP'2000-01-01 00:00:00' and t.n between 1 and 5", ['equal at', 'range n']],
    ['t.a in (1,2,3)', ['equal a']],
    ["(t.a <=> <cache>('x'))", ['equal a']],
    ["lcase(t.a) = 'x'", ['other a']],
    ["t.a like '%x'", ['pattern a']],
  ])('reads %s of MySQL', (text, conditions) => {
    expect(read(text, MYSQL)).toEqual(conditions);
  });

  it('keeps no literal', () => {
    const texts = [
      "(t.a = 'secret')",
      "(t.a = 'it''s secret' || 'secret')",
      '(t.a = 4711)',
      '(t.a = ANY (\'{secret,"sec ret"}\'::text[]))',
      "((t.a)::text ~ 'secret(')",
      "(t.a = 'secret",
      "(t.a = E'\\'secret')",
      "((t.a = 'secret') OR (f('secret') = 4711))",
      "(CASE WHEN (t.a = 'secret') THEN t.b ELSE 4711 END = 4711)",
    ];
    const kept = JSON.stringify(texts.map((text) => readConditions(text, POSTGRES)));
    expect(kept).not.toMatch(/secret|4711/);
  });

  it('is bounded in depth, number and length', () => {
    expect(readConditions('('.repeat(7000), POSTGRES).length).toBeLessThanOrEqual(1);
    expect(
      readConditions(`(t.a = 1 and ${'('.repeat(500)}t.b = 1${')'.repeat(500)})`, POSTGRES).length,
    ).toBeLessThan(3);
    const nested = `${'(t.a = 1 and '.repeat(300)}t.b = 1${')'.repeat(300)}`;
    expect(readConditions(nested, POSTGRES).length).toBeLessThanOrEqual(101);
    expect(
      read(Array.from({ length: 500 }, (_, n) => `t.a${n} = 1`).join(' and ')).length,
    ).toBeLessThanOrEqual(500);
    expect(read(`t.a = '${'x'.repeat(9000)}'`)).toEqual(['other']);
  });
});
