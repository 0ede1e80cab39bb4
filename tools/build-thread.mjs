// Bundles the program of the watching thread into lib/process/watching-thread-source.ts. A test compares the two.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['lib/process/watching-thread.ts'],
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  minifyWhitespace: true,
  write: false,
});
const program = outputFiles[0].text.replaceAll(/[\\`]|\$\{/g, String.raw`\$&`);
const source = `// Generated from watching-thread.ts by tools/build-thread.mjs.
export const WATCHING_THREAD = \`${program}\`;
`;
const target = process.argv[2] ?? `${root}/lib/process/watching-thread-source.ts`;
writeFileSync(target, source);
