// The package as its users have it: installed from its tarball into applications of their own, which run as processes
// of their own. What they do is in test/consumers/app; what is done to them in traffic.ts.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Adapter, Consumer, type Format, installShared } from './consumer';
import { lanes } from './lanes';
import { type Ended, run } from './processes';
import { repository, tarball } from './tarball';
import { CONCURRENT_REQUESTS, type Counted, type Observed, observe, TRACE_ID } from './traffic';
import { startUpstream, type Upstream } from './upstream';
import { describeWithRegistry, hasRegistry } from './with-registry';

const MAJORS = [11, 12] as const;
const FORMATS: Format[] = ['cjs', 'esm'];
const ADAPTERS: Adapter[] = ['express', 'fastify'];

/** How an application of the matrix is started, and whether it is also sent many requests at a time. */
const WAYS = {
  alone: { env: {}, many: true },
  'switched off': { env: { OTEL_PERF_MONITORING: 'false' }, many: false },
  'own provider': { env: { TRACING: 'provider' }, many: false },
  'own provider with our processor': { env: { TRACING: 'provider+processor' }, many: false },
  'HttpInstrumentation preloaded': { env: { TRACING: 'instrumentation' }, many: true },
  'HttpInstrumentation preloaded, own provider': {
    env: { TRACING: 'provider+instrumentation' },
    many: false,
  },
  'HttpInstrumentation preloaded, own provider with our processor': {
    env: { TRACING: 'provider+processor+instrumentation' },
    many: true,
  },
};
type Way = keyof typeof WAYS;

const SERVED = {
  'http GET /users/:id': 1,
  'http GET /denied': 1,
  'http GET /boom': 1,
  'http GET (unmatched)': 1,
  'http GET /calculation': 1,
  'http GET /slow': 1,
  'http GET /slow-span': 1,
  'http GET /report': 1,
  'http GET /hang': 1,
  'http GET /outgoing/:how': 3,
  'internal UsersService.find': 1,
  'calculation UsersService.calculate': 1,
  'calculation helped': 1,
};
const OUTGOING_BY_HTTP = { 'external GET 127.0.0.1': 1, 'external GET 127.0.0.2': 1 };
const OUTGOING_BY_FETCH = { 'external GET localhost': 1 };

const SERVER_KIND = 1;
const HTTP_INSTRUMENTATION = '@opentelemetry/instrumentation-http';

// Applications wait now and then, so there may be one more than processors.
const inLane = lanes(availableParallelism() + 1);
const consumers = new Map<number, Consumer>();
/** What goes on in the background, in the order of the tests that wait for it. */
const underWay = new Map<string, Promise<unknown>>();
let upstream: Upstream;
let shared: Promise<string> | undefined;

function begin(name: string, task: () => Promise<unknown>): void {
  const promise = inLane(task);
  promise.catch(() => {}); // It is for the test that waits for it to fail.
  underWay.set(name, promise);
}

function outcome<T>(...name: unknown[]): Promise<T> {
  const promise = underWay.get(name.join(' '));
  if (promise === undefined) throw new Error(`${name.join(' ')} was never begun`);
  return promise as Promise<T>;
}

function consumerOf(nest: number): Consumer {
  const consumer = consumers.get(nest);
  if (consumer === undefined) throw new Error(`There is no consumer with Nest ${nest}`);
  return consumer;
}

const counts = (counted: Record<string, Counted>): Record<string, number> =>
  Object.fromEntries(Object.entries(counted).map(([name, { count }]) => [name, count]));

beforeAll(async () => {
  if (!hasRegistry) return;
  upstream = await startUpstream();
  const archive = await tarball();
  const installed = installShared();
  shared = installed;
  await Promise.all(
    MAJORS.map(async (nest) => consumers.set(nest, await Consumer.create(nest, archive, installed))),
  );
  for (const nest of MAJORS) {
    const consumer = consumerOf(nest);
    for (const format of FORMATS) {
      for (const adapter of ADAPTERS) {
        for (const [way, { env, many }] of Object.entries(WAYS)) {
          begin(`${nest} ${format} ${adapter} ${way}`, async () => {
            const application = await consumer.start(format, adapter, { ...upstream.env, ...env });
            try {
              return await observe(application, many);
            } finally {
              await application.stop();
            }
          });
        }
      }
      for (const program of ['loading', 'standalone', 'bad-options']) {
        begin(`${nest} ${format} ${program}`, () => consumer.run(`${format}/${program}.js`));
      }
    }
    begin(`${nest} mixed`, () => consumer.run('mixed/main.mjs'));
    begin(`${nest} jest`, () => runJest(consumer));
  }
  // What of the types differs by Nest is seen by nodenext, with which the applications are compiled. CommonJS by the
  // rules that the compiler calls node16 cannot load Nest 12 at all, which is of ECMAScript modules only.
  begin('node16', () =>
    consumerOf(11).checkTypes({ module: 'node16' }, [
      'cjs/standalone.ts',
      'esm/standalone.ts',
      'cjs/health-status.ts',
      'esm/health-status.ts',
    ]),
  );
  begin('bundler', () =>
    consumerOf(12).checkTypes({ module: 'esnext', moduleResolution: 'bundler' }, [
      'esm/standalone.ts',
      'esm/health-status.ts',
    ]),
  );
}, 420_000);

afterAll(async () => {
  await Promise.allSettled(underWay.values());
  upstream?.close();
  await Promise.all([...consumers.values()].map((consumer) => consumer.remove()));
  if (shared !== undefined) await rm(await shared, { recursive: true });
}, 120_000);

/** Runs the consumer's tests by the repository's Jest, in its CommonJS mode. */
function runJest({ nest, folder }: Consumer): Promise<Ended> {
  const { resolve } = createRequire(join(repository, 'package.json'));
  // Nest 12 and some of what it loads are ECMAScript modules, which Jest's CommonJS mode must be given transformed.
  const transform = nest >= 12 && {
    transform: {
      '\\.m?js$': [resolve('@swc/jest'), { jsc: { target: 'es2022' }, module: { type: 'commonjs' } }],
    },
    transformIgnorePatterns: [
      '/node_modules/(?!@nestjs/|@borewit/|@tokenizer/|file-type/|strtok3/|token-types/|uint8array-extras/)',
    ],
  };
  const config = {
    testEnvironment: 'node',
    testTimeout: 30_000,
    testMatch: ['<rootDir>/jest/*.spec.js'],
    transform: {},
    ...transform,
  };
  const jest = join(repository, 'node_modules', 'jest', 'bin', 'jest.js');
  return run(process.execPath, [jest, '--rootDir', folder, '--config', JSON.stringify(config)], folder);
}

const CELLS = MAJORS.flatMap((nest) =>
  FORMATS.flatMap((format) => ADAPTERS.map((adapter) => ({ nest, format, adapter }))),
);

describeWithRegistry.each(CELLS)('Nest $nest, $format, $adapter', ({ nest, format, adapter }) => {
  function inWay(way: Way): { observed: Observed } {
    const result = {} as { observed: Observed };
    beforeAll(async () => {
      result.observed = await outcome<Observed>(nest, format, adapter, way);
    }, 120_000);
    return result;
  }

  describe('with one import in the root module', () => {
    const its = inWay('alone');

    it('serves as it did', () => {
      const { answers } = its.observed;
      const statuses = Object.fromEntries(
        Object.entries(answers).map(([path, { status }]) => [path, status]),
      );
      expect(statuses).toEqual({
        '/users/1?verbose=1': 200,
        '/denied': 403,
        '/boom': 500,
        '/nothing/here': 404,
        '/calculation': 200,
        '/slow': 200,
        '/slow-span': 200,
        '/report': 200,
        '/outgoing/http': 200,
        '/outgoing/https': 200,
        '/outgoing/fetch': 200,
        '/performance/stats': 200,
        '/performance/slow': 200,
      });
      expect(answers['/calculation']?.body).toEqual({ answer: 43 });
    });

    it('counts every operation once, by the route and not by the path', () => {
      const expected = { ...SERVED, ...OUTGOING_BY_HTTP, ...OUTGOING_BY_FETCH };
      expect(counts(its.observed.counted)).toEqual(expected);
      expect(its.observed.total).toBe(Object.values(expected).reduce((sum, count) => sum + count));
    });

    it('counts a 500 as an error, and neither a 403, a 404 nor a client that goes away', () => {
      const failed = Object.entries(its.observed.counted).filter(([, { errorCount }]) => errorCount > 0);
      expect(failed).toEqual([['http GET /boom', expect.objectContaining({ errorCount: 1 })]]);
    });

    it('keeps a slow request with its evidence', () => {
      const slow = its.observed.slow.find(({ name }) => name === 'GET /slow');
      expect(slow).toMatchObject({
        type: 'http',
        thresholdMs: 100,
        error: false,
        traceId: TRACE_ID,
        spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
        parentSpanId: 'b7ad6b7169203331',
        http: {
          statusCode: 200,
          handler: 'AppController.slow',
          beforeHandlerMs: expect.any(Number),
          handlerMs: expect.any(Number),
          afterHandlerMs: expect.any(Number),
        },
        resources: { heapUsedMb: expect.any(Number), eventLoopUtilization: expect.any(Number) },
      });
      expect(slow?.durationMs).toBeGreaterThan(115);
      expect(slow?.http?.handlerMs).toBeGreaterThan(115);
      expect(slow?.selfTimeMs).toBeGreaterThan(115);
      expect(slow?.slownessRatio).toBeCloseTo((slow?.durationMs ?? 0) / 100, 2);
    });

    it('writes the evidence on the span', () => {
      expect(its.observed.answers['/slow-span']?.body).toMatchObject({
        'http.route': '/slow',
        'http.response.status_code': 200,
        'performance.slow': true,
        'performance.operation.type': 'http',
        'performance.threshold': 100,
        'performance.duration': expect.any(Number),
        'performance.slowness_ratio': expect.any(Number),
        'performance.self_time_ms': expect.any(Number),
        'performance.memory.heap_used_mb': expect.any(Number),
        'performance.event_loop.utilization': expect.any(Number),
      });
    });

    it("holds a request against its handler's own threshold", () => {
      expect(its.observed.slow).toContainEqual(
        expect.objectContaining({ name: 'GET /report', thresholdMs: 20 }),
      );
    });

    it('tells that the client went away', () => {
      const hang = its.observed.slow.find(({ name }) => name === 'GET /hang');
      expect(hang?.http).toMatchObject({ aborted: true, handler: 'AppController.hang' });
      expect(hang?.durationMs).toBeLessThan(900);
    });

    it('keeps a slow decorated method with the request that called it', () => {
      expect(its.observed.slow).toContainEqual(
        expect.objectContaining({
          type: 'calculation',
          name: 'UsersService.calculate',
          thresholdMs: 10,
          root: { type: 'http', name: 'GET /calculation' },
        }),
      );
    });

    it.each(['http', 'https', 'fetch'])('continues the trace in what it calls by %s', (how) => {
      expect(its.observed.answers[`/outgoing/${how}`]?.body).toMatchObject({
        traceparent: expect.stringMatching(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`)),
      });
    });

    it('keeps parents and children apart in many requests at a time', () => {
      const { concurrent, countedAfterConcurrent } = its.observed;
      expect(concurrent).toHaveLength(CONCURRENT_REQUESTS);
      for (const { sent, got } of concurrent) {
        expect(got).toEqual({
          id: sent.id,
          request: { traceId: sent.traceId, spanId: expect.any(String), parentSpanId: sent.spanId },
          child: { traceId: sent.traceId, spanId: expect.any(String), parentSpanId: got.request.spanId },
        });
      }
      const spanIds = concurrent.flatMap(({ got }) => [got.request.spanId, got.child.spanId]);
      expect(new Set(spanIds).size).toBe(2 * CONCURRENT_REQUESTS);
      expect(countedAfterConcurrent['http GET /users/:id']?.count).toBe(CONCURRENT_REQUESTS + 1);
      expect(countedAfterConcurrent['internal UsersService.find']?.count).toBe(CONCURRENT_REQUESTS + 1);
    });
  });

  describe('with OTEL_PERF_MONITORING=false', () => {
    const its = inWay('switched off');

    it('serves as it did, without spans, and has no endpoint', () => {
      const { answers } = its.observed;
      const statuses = Object.fromEntries(
        Object.entries(answers).map(([path, { status }]) => [path, status]),
      );
      expect(statuses).toMatchObject({
        '/denied': 403,
        '/boom': 500,
        '/nothing/here': 404,
        '/slow': 200,
        '/report': 200,
      });
      expect(statuses).toMatchObject({ '/performance/stats': 404, '/performance/slow': 404 });
      expect(answers['/calculation']?.body).toEqual({ answer: 43 });
      expect(answers['/users/1?verbose=1']?.body).toEqual({ id: '1', request: {}, child: {} });
      expect(answers['/slow-span']?.body).toEqual({});
    });

    it.each(['http', 'https', 'fetch'])('adds nothing to what it calls by %s', (how) => {
      expect(its.observed.answers[`/outgoing/${how}`]?.status).toBe(200);
      expect(its.observed.answers[`/outgoing/${how}`]?.body).not.toHaveProperty('traceparent');
    });
  });

  describe('with a tracer provider of its own', () => {
    const its = inWay('own provider');

    it('has its requests and decorated methods counted', () => {
      expect(counts(its.observed.counted)).toEqual(SERVED);
      expect(its.observed.slow.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['GET /slow', 'GET /report', 'GET /hang', 'UsersService.calculate']),
      );
      expect(its.observed.answers['/slow-span']?.body).toMatchObject({ 'performance.slow': true });
    });

    it('makes all spans by it', () => {
      const { spans, served } = its.observed;
      expect(spans.filter(({ kind }) => kind === SERVER_KIND)).toHaveLength(served);
      const request = spans.find(({ name }) => name === 'GET /users/:id');
      expect(spans).toContainEqual(
        expect.objectContaining({ name: 'UsersService.find', parentSpanId: request?.spanId }),
      );
    });

    it('is told once what else it could see', () => {
      expect(its.observed.output.match(/SlowSpanProcessor\(\)/g)).toHaveLength(1);
    });
  });

  describe('with a tracer provider of its own, and our processor in it', () => {
    const its = inWay('own provider with our processor');

    it('counts everything once', () => {
      expect(counts(its.observed.counted)).toEqual(SERVED);
      expect(its.observed.spans.filter(({ kind }) => kind === SERVER_KIND)).toHaveLength(its.observed.served);
    });

    it('knows the time that a request spent by itself', () => {
      const slow = its.observed.slow.find(({ name }) => name === 'GET /slow');
      expect(slow?.selfTimeMs).toBeGreaterThan(115);
    });

    it('is told nothing', () => {
      expect(its.observed.output).not.toContain('SlowSpanProcessor');
    });
  });

  describe.each<[Way, Record<string, number>]>([
    ['HttpInstrumentation preloaded', { ...SERVED, ...OUTGOING_BY_HTTP, ...OUTGOING_BY_FETCH }],
    ['HttpInstrumentation preloaded, own provider', SERVED],
    [
      'HttpInstrumentation preloaded, own provider with our processor',
      // The application does its own instrumentation, and without OpenTelemetry's loader hook that does not reach
      // what ECMAScript modules import from node:http by name.
      format === 'esm' ? SERVED : { ...SERVED, ...OUTGOING_BY_HTTP },
    ],
  ])('with %s', (way, expected) => {
    const its = inWay(way);

    it('counts everything once', () => {
      expect(counts(its.observed.counted)).toEqual(expected);
    });

    it('writes the route and the evidence on the span of the instrumentation', () => {
      expect(its.observed.answers['/slow-span']?.body).toMatchObject({
        'http.route': '/slow',
        'network.protocol.version': '1.1',
        'performance.slow': true,
      });
    });

    it('continues the trace of its caller, and with decorated methods that of the request', () => {
      expect(its.observed.answers['/users/1?verbose=1']?.body).toMatchObject({
        request: { traceId: TRACE_ID },
      });
      for (const { sent, got } of its.observed.concurrent) {
        expect(got).toMatchObject({
          id: sent.id,
          request: { traceId: sent.traceId, parentSpanId: sent.spanId },
          child: { traceId: sent.traceId, parentSpanId: got.request.spanId },
        });
      }
    });

    if (way === 'HttpInstrumentation preloaded') return;

    it('makes one SERVER span for each request, which is that of the instrumentation', () => {
      const servers = its.observed.spans.filter(({ kind }) => kind === SERVER_KIND);
      expect(servers).toHaveLength(its.observed.served);
      expect(new Set(servers.map(({ scope }) => scope))).toEqual(new Set([HTTP_INSTRUMENTATION]));
    });
  });
});

describeWithRegistry.each(MAJORS.flatMap((nest) => FORMATS.map((format) => ({ nest, format }))))(
  'Nest $nest, $format, as a program',
  ({ nest, format }) => {
    it('loads only the api of OpenTelemetry until the module starts, and no SDK after that', async () => {
      const { code, stdout, stderr } = await outcome<Ended>(nest, format, 'loading');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const { imported, started } = JSON.parse(stdout) as { imported: string[]; started: string[] };
      expect(imported).toEqual(['@opentelemetry/api']);
      expect(started).toEqual(['@opentelemetry/api', '@opentelemetry/context-async-hooks']);
    }, 60_000);

    it('works without terminus, an optional peer', async () => {
      expect(existsSync(join(consumerOf(nest).folder, 'node_modules', '@nestjs', 'terminus'))).toBe(false);
      expect((await outcome<Ended>(nest, format, 'standalone')).code).toBe(0);
    }, 60_000);

    it('ends by itself when nothing else keeps it alive', async () => {
      const { code, stdout, stderr } = await outcome<Ended>(nest, format, 'standalone');
      expect({ code, stdout, stderr }).toEqual({
        code: 0,
        stdout: '[{"name":"Job.run","count":1}]',
        stderr: '',
      });
    }, 60_000);

    it('does not start with options that are not allowed, and says which and what is', async () => {
      const { code, stderr } = await outcome<Ended>(nest, format, 'bad-options');
      expect(code).toBe(1);
      expect(stderr).toContain(
        'Invalid httpThresholdMs: received -5, expected a number of milliseconds, 0 to 86400000',
      );
      expect(stderr).toContain('Invalid tracing.sampling.ratio: received 7, expected a number from 0 to 1');
    }, 60_000);
  },
);

describeWithRegistry.each(MAJORS)('Nest %i', (nest) => {
  it('is one class to who imports and who requires the package', async () => {
    const { code, stdout, stderr } = await outcome<Ended>(nest, 'mixed');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      sameClass: true,
      sameInstance: true,
      counted: ['Feature.required', 'Own.imported'],
    });
  }, 60_000);

  it("works in Jest's CommonJS mode", async () => {
    const { code, stderr } = await outcome<Ended>(nest, 'jest');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('1 passed') });
  }, 60_000);

  it('compiles every snippet of the documentation in a strict project with terminus', () => {
    const { code, stdout } = consumerOf(nest).documented.compilation;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  it('checks its health with the terminus of that version', () => {
    const { code, stdout, stderr } = consumerOf(nest).documented.health;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ within: 'up', above: nest === 11 ? 'down' : 'degraded' });
  });

  it('has right types for both formats by nodenext, with those of libraries checked', () => {
    const { code, stdout } = consumerOf(nest).compilation;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });
});

describeWithRegistry('any Nest', () => {
  it.each(['node16', 'bundler'])(
    'has right types by %s, with those of libraries checked',
    async (resolution) => {
      const { code, stdout } = await outcome<Ended>(resolution);
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    },
    60_000,
  );
});
