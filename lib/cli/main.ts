#!/usr/bin/env node
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './run.js';

/** This package's version. The file that runs is found by what was called, which may be a link to it. */
function version(): string {
  const folder = dirname(realpathSync(process.argv[1] as string));
  const manifest: unknown = JSON.parse(readFileSync(join(folder, '../../../package.json'), 'utf8'));
  return String((manifest as { version?: unknown }).version);
}

for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read has gone, as `| head` does.
    if (error.code !== 'EPIPE') throw error;
  });

// Not `process.exit`: what was written to a pipe may still be on its way.
void run(process.argv.slice(2), process, version).then((code) => {
  process.exitCode = code;
});
