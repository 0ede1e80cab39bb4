import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { PAGE_BUNDLE } from '../../lib/dashboard/page-bundle.js';

/** The text of a file from the last build. */
const textOf = (name: string): string =>
  gunzipSync(Buffer.from(PAGE_BUNDLE[name]?.gzip ?? '', 'base64')).toString();

describe('the files of the page', () => {
  const names = Object.keys(PAGE_BUNDLE);

  it('are few and small', () => {
    expect(names).toEqual(expect.arrayContaining(['app.css', 'app.js', 'licenses.txt']));
    const bytes = Object.values(PAGE_BUNDLE).map(({ gzip }) => Buffer.byteLength(gzip, 'base64'));
    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(100 * 1024);
    for (const name of names) expect(name).toMatch(/^(?:app|licenses|chunk-\w+)\.(?:js|css|txt)$/);
  });

  it('load only each other, and evaluate no text as code', () => {
    for (const name of names.filter((one) => one !== 'licenses.txt')) {
      const text = textOf(name);
      for (const [, file = ''] of text.matchAll(/(?:from|import\()\s*"\.\/([^"]+)"/g))
        expect(names).toContain(file);
      const hosts = [...text.matchAll(/https?:\/\/([\w.-]+)/g)].map(([, host]) => host);
      // XML namespaces, which are not requested.
      expect(hosts.filter((host) => host !== 'www.w3.org')).toEqual([]);
      expect(text).not.toMatch(/\beval\(|new Function\(|\bimport\("(?!\.\/)/);
    }
  });

  it('do not use the language of the browser, which Intl may reject', () => {
    for (const name of names.filter((one) => one.endsWith('.js')))
      expect(textOf(name)).not.toContain('.language');
  });

  it('include the licenses of the bundled libraries', () => {
    const text = textOf('licenses.txt');
    for (const library of ['preact', 'd3-flame-graph', 'd3-selection'])
      expect(text).toContain(`${library}\n`);
    expect(text).toContain('Apache License');
  });
});
