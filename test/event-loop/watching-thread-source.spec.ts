import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ROOT } from '../support/child-app.js';

const folder = mkdtempSync(join(tmpdir(), 'watching-thread-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('watching-thread-source.ts', () => {
  it('contains the current program of the watching thread: run node tools/build-thread.mjs', () => {
    const generated = join(folder, 'watching-thread-source.ts');
    execFileSync(process.execPath, [join(ROOT, 'tools/build-thread.mjs'), generated]);
    const checkedIn = readFileSync(join(ROOT, 'lib/process/watching-thread-source.ts'), 'utf8');
    expect(checkedIn).toBe(readFileSync(generated, 'utf8'));
  });
});
