import { describe, expect, it } from '@jest/globals';
import { StatementCache } from '../../lib/spans/statement.js';
import { dialectOf, UNKNOWN } from '../../lib/spans/statement-dialect.js';
import { LEAK, PLANTED } from './planted-statements.js';

const described = (system: string, text: string) =>
  new StatementCache().get(text, dialectOf({ 'db.system.name': system }));

describe('statements with planted secrets', () => {
  it('are at least 300, of at least six systems', () => {
    expect(PLANTED.length).toBeGreaterThanOrEqual(300);
    expect(new Set(PLANTED.map(({ system }) => system)).size).toBeGreaterThanOrEqual(6);
    expect(PLANTED.filter(({ text }) => !LEAK.test(text)).length).toBeLessThan(10);
    for (const { system } of PLANTED) expect(dialectOf({ 'db.system': system })).not.toBe(UNKNOWN);
  });

  it.each(PLANTED.map((planted) => [planted.system, planted.text, planted] as const))(
    'keep their shape and nothing else in %s: %s',
    (system, text, { remains }) => {
      const { text: kept, summary, key } = described(system, text);
      expect(`${kept} ${summary} ${key.fingerprint} ${key.name}`).not.toMatch(LEAK);
      let at = 0;
      for (const word of remains) {
        const found = kept.indexOf(word, at);
        if (found < 0) expect(kept).toBe(remains.join(' '));
        at = found + word.length;
      }
    },
  );

  it.each(PLANTED.map((planted) => [planted.system, planted.text, planted.other] as const))(
    'have the same key in %s whatever the literals are: %s',
    (system, text, other) => {
      expect(described(system, other).key.fingerprint).toBe(described(system, text).key.fingerprint);
    },
  );

  it.each(PLANTED.map((planted) => [planted.system, planted.text] as const))(
    'do not change when they are read once more in %s: %s',
    (system, text) => {
      const { text: once } = described(system, text);
      expect(described(system, once).text).toBe(once);
    },
  );

  it.each(PLANTED.map(({ text }) => [text]))('show nothing where the system is not stated: %s', (text) => {
    const { text: kept, summary } = new StatementCache().get(text);
    expect(`${kept} ${summary}`).not.toMatch(LEAK);
  });

  it.each(PLANTED.map(({ system, text }) => [system, text] as const))(
    'show nothing in %s where they are truncated: %s',
    (system, text) => {
      for (let end = 0; end < text.length; end++)
        expect(described(system, text.slice(0, end)).text).not.toMatch(LEAK);
    },
  );
});
