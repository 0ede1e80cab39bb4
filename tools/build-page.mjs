// Bundles the page and writes it into the modules of the package, compressed, so that at run time nothing looks for files.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { licensesOf } from './licenses.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const TYPES = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
};
/** What a browser may have to load, compressed, with every part of the page: the first view is less. */
const MAX_BYTES = 150 * 1024;

/** The flame graph brings a style, which would override ours. */
const ownFlameGraphStyle = {
  name: 'own-flame-graph-style',
  setup({ onLoad }) {
    onLoad({ filter: /d3-flamegraph\.css$/ }, () => ({ contents: '', loader: 'empty' }));
  },
};

const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['lib/dashboard/page/app.tsx'],
  outdir: 'dist/page',
  entryNames: '[name]',
  chunkNames: 'chunk-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: ['chrome123', 'firefox120', 'safari17.5'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  minify: true,
  legalComments: 'none',
  write: false,
  metafile: true,
  plugins: [ownFlameGraphStyle],
});

const files = Object.fromEntries(
  [
    ...outputFiles,
    {
      path: 'licenses.txt',
      contents: licensesOf(Object.keys(metafile.inputs).map((path) => `${root}${path}`)),
    },
  ]
    .map(({ path, contents }) => {
      const gzip = gzipSync(contents, { level: 9 });
      const etag = `"${createHash('sha256').update(contents).digest('base64url').slice(0, 22)}"`;
      return [basename(path), { type: TYPES[extname(path)], etag, gzip: gzip.toString('base64') }];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1)),
);
const bytes = Object.values(files).reduce((sum, { gzip }) => sum + Buffer.byteLength(gzip, 'base64'), 0);
if (bytes > MAX_BYTES)
  throw new Error(
    `The page has ${bytes} bytes compressed, which is more than the ${MAX_BYTES} that it may have`,
  );

const text = JSON.stringify(files, null, 1);
writeFileSync(`${root}/dist/modules/dashboard/page-bundle.js`, `export const PAGE_BUNDLE = ${text};\n`);
process.stdout.write(`The page has ${(bytes / 1024).toFixed(1)} KB compressed.\n`);
