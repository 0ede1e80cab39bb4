import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { TOOLS } from '../../lib/mcp/tools.js';
import { repository } from '../packaging/tarball.js';

const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const page = read('docs/guides/first-fix.md');
const SOURCE = 'sample-app/catalog/catalog.service.ts';
const source = read(SOURCE);

/** The lines of the diff that begin with a character, without it. */
function diffLines(sign: '-' | '+'): string {
  const diff = /```diff\n([\s\S]+?)\n```/.exec(page)?.[1] ?? '';
  return diff
    .split('\n')
    .filter((line) => line.startsWith(sign))
    .map((line) => line.slice(1))
    .join('\n');
}

describe('the guide to the first fix', () => {
  it('changes lines that the sample application has, into ones that compile', () => {
    const [before, after] = [diffLines('-'), diffLines('+')];
    expect(page).toContain(`\`${SOURCE}\``);
    expect(source.split(before)).toHaveLength(2);
    const changed = source.replace(before, after);
    const { diagnostics } = ts.transpileModule(changed, { reportDiagnostics: true });
    expect(diagnostics).toEqual([]);
    // What the change reads is there.
    expect(read('sample-app/catalog/entities.ts')).toMatch(/\n {2}tracks!?: /);
    expect(source).toContain('const PAGE = ');
  });

  it('names the line of the repeated statement', () => {
    const line = Number(/catalog\.service\.ts:(\d+)/.exec(page)?.[1]);
    expect(source.split('\n')[line - 1]).toContain('await album.tracks');
  });

  it('runs scripts and tools that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(scripts).toHaveProperty('start');
    const names = [...page.matchAll(/"name":"(\w+)"/g)].map(([, name]) => name);
    expect(names).toEqual(['get_operation', 'verify_fix']);
    expect(TOOLS.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });
});
