// The package in applications that are bundled into one file, started in every way that Node has.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import type { CallSite, SlowOperation } from '../../lib/index';
import { RespServer } from '../support/resp-server';
import { bundleBy, bundleByEsbuild, bundledApplication, installBundlers } from './bundler';
import { type Ended, run } from './processes';
import { IN_CI, registryFault } from './registry';

interface Result {
  readonly statuses: Record<string, number>;
  readonly counts: Record<string, number>;
  readonly slow: SlowOperation[];
  readonly profiling: string;
  readonly messages: string[];
}

const COUNTS = {
  'http GET /crunch': 1,
  'http GET /add-up': 1,
  'http GET /call': 1,
  'http GET /cache': 1,
  'cache GET': 12,
};
const BUNDLE_TIMEOUT_MS = 300_000;
const RUN_TIMEOUT_MS = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-bundles-'));
const tools = mkdtempSync(join(tmpdir(), 'nestjs-performance-bundlers-'));
let redis: RespServer;

beforeAll(async () => {
  redis = await RespServer.start();
  process.env['REDIS_PORT'] = String(redis.port);
  await bundledApplication(folder);
}, BUNDLE_TIMEOUT_MS);

afterAll(async () => {
  delete process.env['REDIS_PORT'];
  await redis?.stop();
  for (const each of [folder, tools]) rmSync(each, { recursive: true, force: true });
});

function resultOf({ code, stdout, stderr }: Ended): Result {
  const line = stdout.split('\n').find((each) => each.startsWith('result '));
  if (code !== 0 || line === undefined) throw new Error(`ended with ${code}:\n${stdout}\n${stderr}`);
  return JSON.parse(line.slice('result '.length)) as Result;
}

const start = async (...args: string[]): Promise<Result> =>
  resultOf(await run(process.execPath, args, folder, RUN_TIMEOUT_MS));

function expectToWork({ statuses, counts, slow }: Result): void {
  expect(Object.values(statuses)).toEqual(Object.values(statuses).map(() => 200));
  expect(Object.keys(statuses)).toEqual(expect.arrayContaining(['page', 'ui/app.js', 'ui/app.css']));
  expect(counts).toMatchObject(COUNTS);
  // Those to the upstream server, and those that the application sends itself.
  expect(counts['external GET 127.0.0.1']).toBeGreaterThanOrEqual(12);
  expect(slow.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['GET /crunch', 'GET /add-up', 'GET /call']),
  );
}

const positionsOf = (slow: readonly SlowOperation[]): Pick<CallSite, 'function' | 'file' | 'line'>[] =>
  slow.flatMap(({ callSite, topFunctions = [] }) => [
    ...(callSite === undefined ? [] : [callSite]),
    ...topFunctions.flatMap(({ function: name, file, line }) =>
      file === undefined || line === undefined ? [] : [{ function: name, file, line }],
    ),
    ...topFunctions.flatMap(({ calledFrom }) => calledFrom ?? []),
  ]);

/** The sources of the functions that slow operations name, by the source map of a bundle that is not minified. */
function sourcesOf(bundle: string, slow: readonly SlowOperation[]): (string | null)[] {
  const map = new TraceMap(readFileSync(`${bundle}.map`, 'utf8'));
  const lines = readFileSync(bundle, 'utf8').split('\n');
  return positionsOf(slow).map(({ line }) => {
    const text = lines[line - 1] as string;
    return originalPositionFor(map, { line, column: text.length - text.trimStart().length }).source;
  });
}

describe.each(['cjs', 'esm'] as const)('a bundle of esbuild as %s', (format) => {
  let bundle: string;
  let result: Result;

  beforeAll(async () => {
    bundle = await bundleByEsbuild(folder, format);
    result = await start(bundle);
  }, BUNDLE_TIMEOUT_MS);

  it('starts, answers and counts', () => {
    expectToWork(result);
    expect(result.messages).toEqual([]);
  });

  it('blames no function of this library', () => {
    const sources = sourcesOf(bundle, result.slow);
    expect(sources.length).toBeGreaterThan(2);
    expect(sources.filter((source) => source?.includes('node_modules/nestjs-performance/'))).toEqual([]);
  });

  it("names the application's function that called and the one that ran", () => {
    const named = (name: string): SlowOperation | undefined =>
      result.slow.find((operation) => operation.name === name);
    expect(named('GET /call')?.callSite?.function).toMatch(/call$/);
    expect(positionsOf([named('GET /crunch') as SlowOperation])).toContainEqual(
      expect.objectContaining({ function: expect.stringMatching(/crunch$/) }),
    );
  });
});

it(
  'works when it is minified',
  async () => {
    const result = await start(await bundleByEsbuild(folder, 'cjs', { minify: true }));
    expectToWork(result);
    expect(result.slow.find(({ name }) => name === 'GET /call')?.callSite?.function).toMatch(/call$/);
  },
  BUNDLE_TIMEOUT_MS,
);

it(
  'names sources of the application alone as call sites where the bundle has a source map',
  async () => {
    const result = await start(await bundleByEsbuild(folder, 'esm', { minify: true, mapped: true }));
    expectToWork(result);
    const callSite = result.slow.find(({ name }) => name === 'GET /call')?.callSite;
    expect(callSite?.file).toBe('application.mjs');
    const added = result.slow.find(({ name }) => name === 'GET /add-up')?.topFunctions ?? [];
    expect(added).not.toEqual([]);
    expect(added.filter(({ file }) => file?.includes('nestjs-performance/'))).toEqual([]);
  },
  BUNDLE_TIMEOUT_MS,
);

describe('a bundle that is started', () => {
  let bundle: string;
  beforeAll(async () => {
    bundle = await bundleByEsbuild(folder, 'cjs');
  }, BUNDLE_TIMEOUT_MS);

  const load = (): string => `require(${JSON.stringify(bundle)})`;
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';

  it.each<[string, () => string[]]>([
    ['from text', () => ['--eval', load()]],
    ['from text with an argument', () => ['--eval', load(), 'word']],
    [
      'from text in a worker',
      () => [
        '--eval',
        `new (require('node:worker_threads').Worker)(${JSON.stringify(load())}, { eval: true })`,
      ],
    ],
    [
      'as a worker',
      () => ['--eval', `new (require('node:worker_threads').Worker)(${JSON.stringify(bundle)})`],
    ],
    [
      'as a worker of a cluster',
      () => [
        '--eval',
        `const c = require('node:cluster'); c.setupPrimary({ exec: ${JSON.stringify(bundle)}, execArgv: [] }); c.fork()`,
      ],
    ],
  ])(
    '%s works',
    async (_way, args) => {
      const result = await start(...args());
      expectToWork(result);
      expect(result.messages).toEqual([]);
    },
    RUN_TIMEOUT_MS,
  );

  it(
    'from standard input works',
    async () => {
      const shell = ['-c', `"${process.execPath}" - < "${bundle}"`];
      const result = resultOf(await run('sh', shell, folder, RUN_TIMEOUT_MS));
      expectToWork(result);
    },
    RUN_TIMEOUT_MS,
  );

  it(
    'with the permission model works, and says once what is off',
    async () => {
      // Node restricts the network as well from version 25 on.
      const net = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : [];
      const result = await start(permission, '--allow-fs-read=*', ...net, bundle);
      expectToWork(result);
      expect(result.messages).toEqual(["CPU profiling is off: Node's permission model is enabled"]);
    },
    RUN_TIMEOUT_MS,
  );

  it(
    'without an inspector works, and says once what is off',
    async () => {
      const result = await start('--require', join(__dirname, 'bundled', 'without-inspector.cjs'), bundle);
      expectToWork(result);
      expect(result.messages).toEqual(['CPU profiling is off: this build of Node has no inspector']);
    },
    RUN_TIMEOUT_MS,
  );

  it(
    'with frozen prototypes works',
    async () => {
      process.env['FREEZE'] = 'true';
      try {
        expectToWork(await start(bundle));
      } finally {
        delete process.env['FREEZE'];
      }
    },
    RUN_TIMEOUT_MS,
  );
});

const fault = registryFault();
if (fault !== undefined && IN_CI) {
  it('reaches the npm registry', () => {
    throw new Error(fault);
  });
} else if (fault !== undefined)
  process.stderr.write(`skipped: bundles of webpack, rspack and ncc: ${fault}\n`);

(fault === undefined ? describe : describe.skip)('bundlers from the registry', () => {
  beforeAll(() => installBundlers(tools), BUNDLE_TIMEOUT_MS);

  it.each([
    ['webpack', 'cjs'],
    ['webpack', 'esm'],
    ['webpack-5.100', 'cjs'],
    ['rspack', 'cjs'],
    ['rspack', 'esm'],
    ['ncc', 'esm'],
  ] as const)(
    '%s makes a %s file that works',
    async (bundler, format) => {
      const result = await start(await bundleBy(bundler, folder, tools, format));
      expectToWork(result);
      expect(result.messages).toEqual([]);
      expect(result.slow.find(({ name }) => name === 'GET /call')?.callSite?.function).toMatch(/call$/);
    },
    BUNDLE_TIMEOUT_MS,
  );
});
