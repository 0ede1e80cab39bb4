import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { PAGE_BUNDLE } from '../../lib/dashboard/page-bundle.js';
import { succeed } from '../packaging/processes';

const KB = 1024;
const MB = 1024 * KB;
const repository = join(__dirname, '../..');

const gzipOf = (file: string): Buffer => Buffer.from(PAGE_BUNDLE[file]?.gzip ?? '', 'base64');
const gzipBytes = (files: Iterable<string>): number =>
  [...files].reduce((sum, file) => sum + gzipOf(file).length, 0);

/** The files a browser loads before it shows anything: the entry and what it imports statically. */
function filesOfFirstView(): Set<string> {
  const files = new Set(['app.css', 'app.js']);
  for (const file of files)
    for (const [, imported = ''] of gunzipSync(gzipOf(file))
      .toString()
      .matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g))
      files.add(imported);
  return files;
}

describe('the page, compressed', () => {
  // 30 KB today. On a slow mobile connection (1.5 Mbit/s), on which one is called at night, 34 KB take 0.2 s.
  it('shows its first view after at most 34 KB', () => {
    const bytes = gzipBytes(filesOfFirstView());
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(34 * KB);
  });

  // 70 KB today, of which the flame graph is a third and loads on demand. Both builds of the package hold a copy.
  it('has at most 90 KB in all', () => {
    expect(gzipBytes(Object.keys(PAGE_BUNDLE))).toBeLessThan(90 * KB);
  });
});

describe('the package', () => {
  let packed: { readonly size: number; readonly unpackedSize: number; readonly entryCount: number };

  beforeAll(async () => {
    const { stdout } = await succeed('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], repository);
    [packed] = Object.values(JSON.parse(stdout)) as [typeof packed];
  }, 60_000);

  // 0.9 MB today: what each installation and each image build downloads.
  it('downloads at most 1.2 MB', () => {
    expect(packed.size).toBeLessThan(1.2 * MB);
  });

  // 3.3 MB today: two builds, each with types.
  it('unpacks to at most 3.5 MB', () => {
    expect(packed.unpackedSize).toBeLessThan(3.5 * MB);
  });

  // 374 today, of which 304 are types. Resolving and opening files is most of the time a package takes to load.
  it('has at most 400 files', () => {
    expect(packed.entryCount).toBeGreaterThan(100);
    expect(packed.entryCount).toBeLessThan(400);
  });
});
