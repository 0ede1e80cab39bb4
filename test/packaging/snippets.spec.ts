import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { documentedSnippets, snippetsIn, sourceNameOf, sourceOf } from './snippets';
import { repository } from './tarball';

describe('the snippets of a Markdown file', () => {
  it('are its blocks of TypeScript, each at its line', () => {
    const markdown = [
      '```ts',
      'const a = `',
      '`;',
      '```',
      '```sh',
      'ls',
      '```',
      '- in a list:',
      '  ```typescript',
      '  if (a) {',
      '    b();',
      '  }',
      '  ```',
      '````ts title="a.ts"',
      '```',
      '````',
      '```tsx',
      '```',
    ].join('\n');
    const found = snippetsIn(markdown, 'docs/a.md');
    expect(found).toEqual([
      { file: 'docs/a.md', line: 1, text: 'const a = `\n`;' },
      { file: 'docs/a.md', line: 9, text: 'if (a) {\n  b();\n}' },
      { file: 'docs/a.md', line: 14, text: '```' },
      { file: 'docs/a.md', line: 17, text: '' },
    ]);
    expect(found.map(sourceNameOf)).toEqual([
      'docs-a-md-1.ts',
      'docs-a-md-9.ts',
      'docs-a-md-14.ts',
      'docs-a-md-17.ts',
    ]);
    expect(found.map(sourceOf)[1]?.split('\n').indexOf('if (a) {')).toBe(9);
  });

  it('have an end', () => {
    expect(() => snippetsIn('text\n```ts\nconst a = 1;\n', 'a.md')).toThrow(
      'a.md:2: the block has no closing ```',
    );
  });

  it('are all found in the README', async () => {
    const text = await readFile(join(repository, 'README.md'), 'utf8');
    const fences = text.split('\n').filter((line) => line.startsWith('```ts'));
    const found = (await documentedSnippets()).filter(({ file }) => file === 'README.md');
    expect(found).toHaveLength(fences.length);
    expect(found[0]?.text).toContain('PerformanceModule.forRoot(');
  });

  it('are found in the folders of docs', async () => {
    const files = new Set((await documentedSnippets()).map(({ file }) => file));
    expect([...files]).toEqual(expect.arrayContaining(['docs/getting-started.md', 'docs/guides/testing.md']));
  });
});
