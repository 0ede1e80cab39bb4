import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run } from './processes';
import { repository } from './tarball';

/** The files of the package that a start reads, from an entry point on: what is loaded on demand is not among them. */
async function readAtStart(entry: string): Promise<string[]> {
  const files = new Set([join(repository, 'dist', entry)]);
  for (const file of files) {
    const code = await readFile(file, 'utf8');
    for (const [, path = ''] of code.matchAll(/(?:\bfrom|\bimport|=require\()\s*"(\.[^"]+\.js)"/g))
      files.add(join(dirname(file), path));
  }
  return [...files];
}

describe('a start', () => {
  const started = async (variables: Record<string, string>): Promise<Record<string, number>> => {
    const { code, stdout, stderr } = await run(
      process.execPath,
      [join(repository, 'test', 'packaging', 'programs', 'started.cjs')],
      repository,
      60_000,
      variables,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Record<string, number>;
  };
  const ofOpenTelemetry = (counts: Record<string, number>): string[] =>
    Object.keys(counts).filter((name) => name.startsWith('@opentelemetry/'));

  it('loads nothing of the SDK, of instrumentations and exporters unless it exports', async () => {
    const counts = await started({});
    expect(ofOpenTelemetry(counts).sort()).toEqual([
      '@opentelemetry/api',
      '@opentelemetry/context-async-hooks',
    ]);
    expect(Object.keys(counts)).not.toContain('semver');
  }, 60_000);

  it('loads the SDK where it exports, or limits spans', async () => {
    const exporting = await started({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    expect(ofOpenTelemetry(exporting)).toEqual(
      expect.arrayContaining(['@opentelemetry/sdk-trace-node', '@opentelemetry/exporter-trace-otlp-grpc']),
    );
    const limited = await started({ OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '64' });
    expect(ofOpenTelemetry(limited)).toContain('@opentelemetry/sdk-trace-node');
    expect(ofOpenTelemetry(limited)).not.toContain('@opentelemetry/exporter-trace-otlp-grpc');
  }, 60_000);

  it.each([
    ['esm/index.js', 0.9],
    ['cjs/index.js', 0.97],
  ])('reads from %s on at most five files with %d MB of this package', async (entry, limit) => {
    const files = await readAtStart(entry);
    expect(files.length).toBeGreaterThan(1);
    // Opening a file takes as long as reading some 10 KB more of another.
    expect(files.length).toBeLessThanOrEqual(5);
    const sizes = await Promise.all(files.map((file) => stat(file)));
    expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(limit * 1e6);
  });
});
