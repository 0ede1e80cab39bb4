import { describe, expect, it } from '@jest/globals';
import { SpanKind } from '@opentelemetry/api';
import { describeRecorded } from '../../lib/cli/analyze/recorded-work.js';
import { describeSpan } from '../../lib/spans/span-description.js';
import { StatementCache } from '../../lib/spans/statement.js';

const describeText = (text: string, system = 'other_sql') => {
  const attributes = { 'db.query.text': text, 'db.system.name': system };
  const span = {
    name: 'query',
    kind: SpanKind.CLIENT,
    attributes,
  };
  const description = describeSpan(span, new StatementCache());
  return { live: description.inputs, recorded: describeRecorded(description, attributes)?.inputs };
};

describe('a statement with bound values', () => {
  it.each<[string, string]>([
    ['SELECT * FROM a WHERE b = $1', 'other_sql'],
    ['SELECT * FROM a WHERE b = ?', 'mysql'],
    ['SELECT * FROM a WHERE b=? AND c = 1', 'mysql'],
    ['SELECT * FROM a WHERE b = :id', 'oracle.db'],
    ['SELECT * FROM a WHERE b = :1', 'oracle.db'],
    ['SELECT * FROM a WHERE b = @id', 'mssql'],
    ["SELECT * FROM a WHERE c = 'it''s' AND b = $1", 'postgresql'],
    ["SELECT * FROM a WHERE c = 'it\\'s' AND b = ?", 'mysql'],
    ["SELECT * FROM a WHERE c = 'a\\' AND b = $1", 'postgresql'],
    [`SELECT * FROM a WHERE b IN (${"'x', ".repeat(1500)}$1)`, 'other_sql'],
  ])('has no values that are known: %.60s', (text, system) => {
    expect(describeText(text, system)).toEqual({ live: undefined, recorded: undefined });
  });

  it.each<[string, string]>([
    ["SELECT * FROM a WHERE b = 'a@b.c'", 'other_sql'],
    ["SELECT * FROM a WHERE b = 'why?'", 'postgresql'],
    ["SELECT * FROM a WHERE b = 'costs $1'", 'postgresql'],
    ["SELECT * FROM a WHERE b = 'is :name'", 'mysql'],
    ['SELECT * FROM a WHERE b = "a@b.c"', 'mysql'],
    ["SELECT * FROM a WHERE b = 'it\\'s ? a@b.c'", 'mysql'],
    ["SELECT * FROM a WHERE b = '10:30'", 'postgresql'],
    ['SELECT a[1:2] FROM a WHERE b = 5', 'postgresql'],
    ["SELECT * FROM a WHERE b = '{x: 1}' -- why?", 'postgresql'],
    ['SELECT * FROM a /* a@b.c */ WHERE b = 5', 'postgresql'],
  ])('is none with literals alone: %s', (text, system) => {
    const { live, recorded } = describeText(text, system);
    expect(live).toHaveLength(1);
    expect(recorded).toEqual(live);
  });

  it.each(["'?'", "'***'", "'<redacted>'", "'{}'", "'%s'", "':id'", '%s', '***', '#{id}', '<redacted>'])(
    'may have been recorded with %s',
    (placeholder) => {
      expect(describeText(`SELECT * FROM a WHERE b = ${placeholder}`).recorded).toBeUndefined();
    },
  );
});
