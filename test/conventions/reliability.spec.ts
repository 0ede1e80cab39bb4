import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from '../support/child-app.js';

/** A row of the table: the last cell names the test, `` `test/x.spec.ts`: title ``. */
interface Row {
  readonly fault: string;
  readonly spec: string;
  readonly title: string;
}

function rowsOf(markdown: string): Row[] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (Fault\b|-+ )/.test(line))
    .map((line) => {
      const cells = line.split(' | ').map((cell) => cell.replace(/^\| | *\|$/g, '').trim());
      const [, spec = '', title = ''] = /^`([^`]+)`: (.*)$/.exec(cells.at(-1) ?? '') ?? [];
      return { fault: cells[0] ?? '', spec, title };
    });
}

/** Whether a spec has a test of this title. */
function hasTest(source: string, title: string): boolean {
  return source.includes(`'${title}'`) || source.includes(`\`${title}\``);
}

describe('the table of faults', () => {
  const rows = rowsOf(readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8'));

  it('has at least 25 faults, each once', () => {
    expect(rows.length).toBeGreaterThanOrEqual(25);
    expect(new Set(rows.map(({ fault }) => fault)).size).toBe(rows.length);
  });

  it.each(rows)('names a test that exists ($fault)', ({ spec, title }) => {
    expect(title).not.toBe('');
    expect(hasTest(readFileSync(join(ROOT, spec), 'utf8'), title)).toBe(true);
  });

  it('would miss a test that does not exist', () => {
    const [row] = rowsOf('| a | b | `test/conventions/reliability.spec.ts`: no such title at all |');
    expect(row).toEqual({
      fault: 'a',
      spec: 'test/conventions/reliability.spec.ts',
      title: 'no such title at all',
    });
    expect(hasTest("it('another title', () => {})", row?.title ?? '')).toBe(false);
  });
});
