import { once } from 'node:events';
import http from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Param } from '@nestjs/common';
import { SpanKind, trace } from '@opentelemetry/api';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { currentTracer } from '../../lib/spans/tracing-runtime.js';
import { Database, endQuery, startQuery } from '../../lib/tracing/query-span.js';
import { PerformanceOptionsError } from '../../lib/validation/options-error.js';
import { fetchFromOutside, startApplication, until } from '../support/application.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';

@Controller('albums')
class AlbumsController {
  @Get(':id')
  async find(@Param('id') id: string): Promise<string> {
    // Nobody listens there.
    await once(http.get('http://127.0.0.1:9/artists'), 'error');
    const text = 'SELECT * FROM album WHERE id = $1';
    const peer = { 'db.namespace': 'shop', 'server.address': 'db-1', 'server.port': 5432 };
    const database = new Database('postgresql', peer);
    const query = startQuery(currentTracer(), { database, text, values: [id] });
    if (query !== undefined) endQuery(query, undefined, () => {});
    // As an instrumentation of the application makes it.
    const other = {
      kind: SpanKind.CLIENT,
      attributes: { 'http.request.method': 'GET', 'db.system.name': 'x' },
    };
    trace.getTracer('other').startSpan('other', other).end();
    return 'album';
  }
}

const STABLE_HTTP = ['http.request.method', 'http.response.status_code', 'url.path', 'url.scheme'];
const OLD_HTTP = ['http.method', 'http.scheme', 'http.status_code', 'http.target'];
const STABLE_DATABASE = ['db.namespace', 'db.query.text', 'db.system.name', 'server.address', 'server.port'];
const OLD_DATABASE = ['db.name', 'db.statement', 'db.system', 'net.peer.name', 'net.peer.port'];

describe('the names of attributes of exported spans', () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    delete process.env['OTEL_SEMCONV_STABILITY_OPT_IN'];
  });

  /** The attributes of a request, of its query and its outgoing call, and of a span that is not of this package. */
  async function exported(options: PerformanceOptions['tracing'], optIn?: string) {
    if (optIn !== undefined) process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] = optIn;
    const receiver = await OtlpReceiver.start();
    cleanups.push(() => receiver.stop());
    const tracing = { endpoint: receiver.endpoint, ...options };
    const { app, url, operation, monitor } = await startApplication(
      'express',
      { controllers: [AlbumsController] },
      { tracing, httpThresholdMs: 0.001, databaseThresholdMs: 0.001 },
    );
    await (await fetchFromOutside(`${url}/albums/7`)).text();
    await until(() => operation('GET /albums/:id')?.count === 1);
    const slow = monitor
      .getSlowOperations()
      .flatMap(({ name }) => (['other', 'GET 127.0.0.1:9/artists'].includes(name) ? [] : name));
    await app.close();
    const of = (kind: number, name?: string): Record<string, unknown> =>
      receiver.spans.find((span) => span.kind === kind && (name === undefined || span.name === name))
        ?.attributes ?? {};
    return {
      ...{ http: of(2), database: of(3, 'SELECT album'), call: of(3, 'GET'), other: of(3, 'other') },
      slow,
    };
  }
  const some = (attributes: Record<string, unknown>, names: readonly string[]): string[] =>
    names.filter((name) => name in attributes);

  it('are the stable ones', async () => {
    const { http, database, slow } = await exported({});
    expect(some(http, STABLE_HTTP)).toEqual(STABLE_HTTP);
    expect(some(database, STABLE_DATABASE)).toEqual(STABLE_DATABASE);
    expect([some(http, OLD_HTTP), some(database, OLD_DATABASE)]).toEqual([[], []]);
    expect(slow.sort()).toEqual(['GET /albums/:id', 'SELECT album']);
  });

  it('are both where OpenTelemetry is asked for that, and only of the spans of this package', async () => {
    const { http, database, call, other, slow } = await exported({}, 'http/dup, database/dup');
    expect(call).toMatchObject({
      ...{
        'http.request.method': 'GET',
        'http.method': 'GET',
        'net.peer.name': '127.0.0.1',
        'net.peer.port': 9,
      },
      'http.url': 'http://127.0.0.1:9/artists',
    });
    expect(some(call, ['net.host.name', 'net.host.port'])).toEqual([]);
    expect(some(http, STABLE_HTTP)).toEqual(STABLE_HTTP);
    expect(http).toMatchObject({ 'http.method': 'GET', 'http.status_code': 200, 'http.target': '/albums/7' });
    expect(some(database, STABLE_DATABASE)).toEqual(STABLE_DATABASE);
    expect(database).toMatchObject({
      ...{ 'db.system': 'postgresql', 'db.name': 'shop', 'net.peer.name': 'db-1', 'net.peer.port': 5432 },
      // Without values, as the statement of the stable name.
      'db.statement': 'select * from album where id = ?',
    });
    expect(some(other, [...OLD_HTTP, ...OLD_DATABASE])).toEqual([]);
    // Inside, nothing changes.
    expect(slow.sort()).toEqual(['GET /albums/:id', 'SELECT album']);
  });

  it('are the old ones where an option says so, which overrides the environment', async () => {
    const semanticConventions = { http: 'old', database: 'stable' } as const;
    const { http, database, slow } = await exported({ semanticConventions }, 'http/dup,database/dup');
    expect(some(http, OLD_HTTP)).toEqual(OLD_HTTP);
    expect(some(http, STABLE_HTTP)).toEqual([]);
    expect(http['performance.slow']).toBe(true);
    expect(http['http.route']).toBe('/albums/:id');
    expect(some(database, OLD_DATABASE)).toEqual([]);
    expect(slow.sort()).toEqual(['GET /albums/:id', 'SELECT album']);
  });

  it.each([
    ['', 'stable', 'stable'],
    ['http', 'stable', 'stable'],
    ['database/dup', 'stable', 'both'],
    ['messaging , http/dup', 'both', 'stable'],
    ['http,http/dup', 'both', 'stable'],
    ['gen_ai_latest_experimental', 'stable', 'stable'],
  ])(
    'with OTEL_SEMCONV_STABILITY_OPT_IN="%s" are %s for HTTP and %s for databases',
    (optIn, http, database) => {
      const { tracing } = resolveOptions({}, { OTEL_SEMCONV_STABILITY_OPT_IN: optIn });
      expect(tracing.semanticConventions).toEqual({ http, database });
    },
  );

  it('are refused if they are unknown', () => {
    const options = { tracing: { semanticConventions: { http: 'new' } } } as never;
    expect(() => resolveOptions(options)).toThrow(PerformanceOptionsError);
  });
});
