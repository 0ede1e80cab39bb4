import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment } from './processes';

const TIMEOUT_MS = 10_000;

/** Whether a missing network must fail rather than skip. */
export const IN_CI = !['', '0', 'false'].includes(process.env['CI'] ?? '');

/**
 * Asks the npm registry once, without retries, for a package that the clean applications need. The cache is an empty one:
 * npm takes what it has in its own for an answer when the network fails.
 * @returns why it does not answer; nothing when it does
 */
export function registryFault(): string | undefined {
  const cache = mkdtempSync(join(tmpdir(), 'nestjs-performance-registry-'));
  const limits = [
    '--fetch-retries=0',
    `--fetch-timeout=${TIMEOUT_MS}`,
    `--cache=${cache}`,
    '--loglevel=error',
  ];
  try {
    const { status, error, stderr } = spawnSync('npm', ['view', 'reflect-metadata', 'version', ...limits], {
      cwd: cache,
      env: cleanEnvironment(),
      encoding: 'utf8',
      timeout: 2 * TIMEOUT_MS,
      shell: process.platform === 'win32',
    });
    if (status === 0) return undefined;
    const reason =
      /npm error code (\S+)/.exec(stderr ?? '')?.[1] ?? error?.message ?? `npm ended with ${status}`;
    return `the npm registry does not answer (${reason}), and applications that install the package need it`;
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}
