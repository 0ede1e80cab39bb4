import { describe, expect, it } from '@jest/globals';
import { sourceLink } from '../../lib/dashboard/page/source-link.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { sourceTemplate } from '../../lib/monitor/source-url.js';

const set = (sourceUrl: unknown) => () => resolveOptions({ endpoint: { sourceUrl: sourceUrl as string } });
const site = (file: string) => ({ function: 'f', file, line: 12, column: 3 });

describe('the option endpoint.sourceUrl', () => {
  it.each([
    'vscode',
    'cursor',
    'jetbrains',
    'https://github.com/me/shop/blob/{commit}/apps/shop/{file}#L{line}',
    'http://localhost:63342/api/file/{file}:{line}:{column}',
    'vscode-insiders://file/srv/shop/{file}',
  ])('accepts %s', (sourceUrl) => {
    expect(set(sourceUrl)).not.toThrow();
  });

  it.each([
    'toString',
    'javascript://{file}%0aalert(1)',
    'data:text/html,{file}',
    ' https://example.org/{file}',
    'https://example.org/{file}"onclick="',
    'https://example.org/',
    'https://example.org/{file}/{secret}',
    `https://example.org/{file}${'x'.repeat(500)}`,
    7,
  ])('rejects %s', (sourceUrl) => {
    expect(set(sourceUrl)).toThrow(/endpoint\.sourceUrl: received .*expected vscode, cursor, jetbrains, or/);
  });
});

describe('the address of a line', () => {
  const forge = 'https://github.com/me/shop/blob/{commit}/{file}#L{line}';

  it('contains the commit, and each part of the path encoded', () => {
    expect(sourceLink(sourceTemplate(forge, 'a1b2'), site('src/a b/[id]#.ts'))).toBe(
      'https://github.com/me/shop/blob/a1b2/src/a%20b/%5Bid%5D%23.ts#L12',
    );
    expect(sourceLink(sourceTemplate(forge), site('a.ts'))).toMatch('/blob/HEAD/a.ts#L12');
    expect(sourceTemplate(forge, '../$&')).toBe('https://github.com/me/shop/blob/..%2F%24%26/{file}#L{line}');
  });

  it('opens a file of the working directory in an editor', () => {
    const directory = process.cwd().split('/').map(encodeURIComponent).join('/');
    expect(sourceLink(sourceTemplate('vscode'), site('src/a.ts'))).toBe(
      `vscode://file${directory}/src/a.ts:12:3`,
    );
    expect(sourceLink(sourceTemplate('jetbrains'), site('src/a.ts'))).toMatch(
      /^jetbrains:\/\/web-storm\/navigate\/reference\?project=[^/]+&path=src\/a\.ts:12:3$/,
    );
  });

  it.each(['/srv/a.ts', '…/shop/a.ts', '~/a.ts', '../a.ts', 'C:/a.ts', 'node:fs', 'javascript:alert(1)'])(
    'is absent for %s, which is not below the working directory',
    (file) => {
      expect(sourceLink(sourceTemplate(forge), site(file))).toBeUndefined();
    },
  );

  it('is absent without the option', () => {
    expect(sourceLink(undefined, site('a.ts'))).toBeUndefined();
  });
});
