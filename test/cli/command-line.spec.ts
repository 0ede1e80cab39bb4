import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Ended, run } from '../packaging/processes';
import { runCli } from './support/analyzing.js';
import { otlpOf, Recording } from './support/recording.js';

const repository = join(__dirname, '../..');
const main = join(repository, 'dist/cjs/cli/main.js');

/** An N+1 with this many copies of 10 ms. */
function nPlusOne(copies: number): Recording {
  const recording = new Recording();
  const request = recording.request();
  for (let copy = 0; copy < copies; copy++)
    recording.query(request, 'SELECT * FROM track WHERE album_id = $1');
  return recording;
}

describe('the command line', () => {
  let folder: string;
  const analyze = (...args: string[]): Promise<Ended> =>
    run(process.execPath, [main, 'analyze', ...args], folder);
  const shell = (line: string): Promise<Ended> =>
    run('sh', ['-c', line.replaceAll('CLI', `"${process.execPath}" "${main}"`)], folder);

  beforeAll(async () => {
    if (!existsSync(main)) throw new Error(`${main} is missing: npm run build`);
    folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-cli-'));
    const write = (name: string, data: string | Buffer): Promise<void> => writeFile(join(folder, name), data);
    const { spans } = nPlusOne(12);
    await write('fine.json', JSON.stringify(nPlusOne(3).otlp));
    await write('info.json', JSON.stringify(nPlusOne(4).otlp));
    await write('warning.json', JSON.stringify(nPlusOne(12).otlp));
    await write('critical.json', JSON.stringify(nPlusOne(120).otlp));
    await write('many.json', Array.from({ length: 500 }, () => JSON.stringify(nPlusOne(12).otlp)).join('\n'));
    await write('packed.json.gz', gzipSync(JSON.stringify(nPlusOne(12).otlp)));
    await write('first.json', JSON.stringify(otlpOf(spans.slice(0, 5), 'music')));
    await write('second.json', JSON.stringify(otlpOf(spans.slice(5), 'music')));
    await write('broken.json', `{"resourceSpans": [\n{]}`);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    [0, 0, ['fine.json']],
    [0, 1, ['--min-repetitions', '4', 'info.json']],
    [1, 1, ['--min-repetitions', '4', '--fail-on', 'info', 'info.json']],
    [1, 1, ['warning.json']],
    [0, 1, ['warning.json', '--fail-on=critical']],
    [1, 1, ['critical.json', '--fail-on=critical']],
    [0, 1, ['critical.json', '--fail-on=never']],
    [1, 2, ['fine.json', 'critical.json', 'warning.json']],
    [1, 1, ['packed.json.gz']],
  ])('exits with %d and %d findings: %j', async (code, findings, args) => {
    const ended = await analyze(...args);
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code, stderr: '' });
    expect(JSON.parse(ended.stdout)).toHaveLength(findings);
  });

  it('reports no findings after a read error', async () => {
    expect(await analyze('critical.json', 'broken.json')).toMatchObject({ code: 2, stdout: '' });
    expect(await analyze('--', '--json')).toMatchObject({ code: 2, stdout: '' });
  });

  it('collects the spans of a trace from several files', async () => {
    expect(JSON.parse((await analyze('second.json', 'first.json')).stdout)).toMatchObject([{ count: 12 }]);
  });

  it.each([
    ['missing.json', 'missing.json: no such file or directory\n'],
    ['.', '.: illegal operation on a directory\n'],
    ['broken.json', "broken.json:2: Expected a name in double quotes, found ']'\n"],
  ])('reports why it could not read %s', async (file, stderr) => {
    expect(await analyze(file)).toMatchObject({ code: 2, stdout: '', stderr });
  });

  it('reads plain and gzipped stdin, and exits silently when the reader closes the pipe', async () => {
    expect(await shell('CLI analyze --table - < warning.json')).toMatchObject({
      code: 1,
      stderr: '',
      stdout: expect.stringContaining('1 finding'),
    });
    expect(await shell('cat packed.json.gz | CLI analyze -')).toMatchObject({ code: 1, stderr: '' });
    expect(await shell('CLI analyze many.json | head -c 1')).toMatchObject({ stdout: '[', stderr: '' });
  });

  it('works through a symbolic link, as created by npm', async () => {
    const link = join(folder, 'link');
    await symlink(main, link);
    const { version } = (await import('../../package.json')) as unknown as { version: string };
    expect(await run(process.execPath, [link, '--version'], folder)).toMatchObject({
      code: 0,
      stdout: `${version}\n`,
      stderr: '',
    });
  });

  it('loads neither Nest, rxjs nor an SDK', async () => {
    const program = `process.argv = [process.execPath, ${JSON.stringify(main)}, 'analyze', 'warning.json'];
      process.on('exit', () => process.stderr.write(JSON.stringify(Object.keys(require.cache))));
      require(${JSON.stringify(main)});`;
    const { code, stderr } = await run(process.execPath, ['-e', program], folder);
    expect(code).toBe(1);
    const packages = (JSON.parse(stderr) as string[]).map(
      (file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? 'own',
    );
    expect([...new Set(packages)].sort()).toEqual(['@opentelemetry/api', 'own']);
  });

  it('reads a large file of lines or one object in little memory', async () => {
    const texts = await Promise.all(
      ['lines.json', 'object.json'].map((name) => large(join(folder, name), name === 'object.json')),
    );
    for (const { name, requests } of texts) {
      const ended = await run(
        process.execPath,
        ['--max-old-space-size=96', main, 'analyze', '--table', name],
        folder,
      );
      expect(ended).toMatchObject({
        code: 1,
        stderr: '',
        stdout: expect.stringContaining(` in ${requests} requests`),
      });
    }
  }, 60_000);
});

/** A file of 60 MB that consists mostly of span attributes. */
async function large(name: string, asObject: boolean): Promise<{ name: string; requests: number }> {
  const stream = createWriteStream(name);
  const filler = 'x'.repeat(2000);
  let size = 0;
  let requests = 0;
  if (asObject) stream.write('{"resourceSpans":[{"scopeSpans":[{"spans":[');
  for (; size < 60e6; requests++) {
    const recording = new Recording();
    const request = recording.request();
    for (let copy = 0; copy < 12; copy++)
      recording.query(request, 'SELECT * FROM track WHERE album_id = $1', 10, {}, { filler });
    const text = asObject
      ? `${requests > 0 ? ',' : ''}${JSON.stringify(recording.spans).slice(1, -1)}`
      : `${JSON.stringify(recording.otlp)}\n`;
    size += text.length;
    if (!stream.write(text)) await once(stream, 'drain');
  }
  stream.end(asObject ? ']}]}]}' : '');
  await once(stream, 'finish');
  return { name, requests };
}

describe('an invalid command line', () => {
  it.each([
    [['analyze'], 'nestjs-performance analyze: Missing FILE: expected files, or - for stdin'],
    [
      ['analyze', '--fail', 'x'],
      'nestjs-performance analyze: Unknown option --fail: expected one of --fail-on, --min-repetitions, --min-total-ms, --json, --table, --help',
    ],
    [
      ['analyze', '-x'],
      'nestjs-performance analyze: Unknown option -x: expected one of --fail-on, --min-repetitions, --min-total-ms, --json, --table, --help',
    ],
    [
      ['analyze', '--fail-on', 'error', 'x'],
      'nestjs-performance analyze: Invalid --fail-on: received "error", expected one of info, warning, critical, never',
    ],
    [
      ['analyze', 'x', '--fail-on'],
      'nestjs-performance analyze: Invalid --fail-on: received no value, expected --fail-on=SEVERITY',
    ],
    [
      ['analyze', '--json=yes', 'x'],
      'nestjs-performance analyze: Invalid --json: received "yes", expected no value',
    ],
    [
      ['analyze', '--json', '--table', 'x'],
      'nestjs-performance analyze: Invalid --json with --table: expected one of them',
    ],
    [
      ['analyze', '--min-repetitions', '1', 'x'],
      'nestjs-performance analyze: Invalid --min-repetitions: received "1", expected a whole number from 2 to 10000',
    ],
    [
      ['analyze', '--min-repetitions=', 'x'],
      'nestjs-performance analyze: Invalid --min-repetitions: received no value, expected --min-repetitions=N',
    ],
    [
      ['analyze', '--min-repetitions', '2.5', 'x'],
      'nestjs-performance analyze: Invalid --min-repetitions: received "2.5", expected a whole number from 2 to 10000',
    ],
    [
      ['analyze', '--min-total-ms', '10ms', 'x'],
      'nestjs-performance analyze: Invalid --min-total-ms: received "10ms", expected a number of milliseconds, 0 to 86400000',
    ],
    [
      ['analize', 'x'],
      'nestjs-performance: Unknown command analize: expected one of analyze, compare, mcp, profile, release, report',
    ],
    [
      ['constructor'],
      'nestjs-performance: Unknown command constructor: expected one of analyze, compare, mcp, profile, release, report',
    ],
    [
      [],
      'nestjs-performance: Missing command: expected one of analyze, compare, mcp, profile, release, report',
    ],
    [['--verbose'], 'nestjs-performance: Unknown option --verbose: expected one of --help, --version'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await runCli(args);
    const command = args[0] === 'analyze' ? 'nestjs-performance analyze' : 'nestjs-performance';
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: `${message}\nSee ${command} --help\n`,
    });
  });

  it('has help and a version', async () => {
    for (const args of [['--help'], ['-h'], ['analyze', '--help'], ['analyze', '-h', 'x']])
      expect(await runCli(args)).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringContaining('Usage: nestjs-performance'),
      });
    expect(await runCli(['--version'])).toMatchObject({ code: 0, stdout: '0.0.0\n' });
  });
});
