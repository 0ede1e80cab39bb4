#!/usr/bin/env node
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './run.js';

/** The version of this package. npm runs this file through a symbolic link. */
function version(): string {
  const folder = dirname(realpathSync(process.argv[1] as string));
  const manifest: unknown = JSON.parse(readFileSync(join(folder, '../../../package.json'), 'utf8'));
  return String((manifest as { version?: unknown }).version);
}

for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The reader closed the pipe, as `| head` does.
    if (error.code !== 'EPIPE') throw error;
  });

// Not `process.exit`, which would truncate pending output to a pipe.
void run(process.argv.slice(2), process, version).then((code) => {
  process.exitCode = code;
});
