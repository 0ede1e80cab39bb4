import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Param } from '@nestjs/common';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { TrackPerformance } from '../../lib/nest/decorators/track-performance.decorator.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { startApplication, type TestApplication, until } from '../support/application.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { sleep } from '../support/tracing.js';

@Controller('albums')
class AlbumsController {
  @Get(':id')
  async find(@Param('id') id: string): Promise<string> {
    return this.load(id);
  }

  @TrackPerformance('calculation', 100)
  async load(id: string): Promise<string> {
    await sleep(id === 'slow' ? 150 : 1);
    if (id === 'broken') throw new Error('broken');
    return id;
  }

  @Get(':id/query')
  query(): string {
    const span = trace.getTracer('driver').startSpan('pg.query', {
      kind: 2,
      attributes: {
        'db.system.name': 'postgresql',
        'db.query.text': "SELECT * FROM users WHERE email = 'anna@example.org' AND age > 987654321",
        'url.full': 'http://user:pass@example.org/path?token=abc',
      },
    });
    span.end();
    return 'ok';
  }
}

describe('export over OTLP', () => {
  let receiver: OtlpReceiver;
  let application: TestApplication | undefined;
  beforeEach(async () => {
    receiver = await OtlpReceiver.start();
  });
  afterEach(async () => {
    await application?.app.close();
    application = undefined;
    receiver.stop();
  });

  const start = async (options: PerformanceOptions = {}): Promise<TestApplication> => {
    application = await startApplication(
      'express',
      { controllers: [AlbumsController] },
      {
        serviceName: 'store',
        serviceVersion: '1.2.3',
        hostName: 'here',
        ...options,
        tracing: { endpoint: receiver.endpoint, ...options.tracing },
      },
    );
    return application;
  };
  const get = async (path: string): Promise<void> => {
    await (await fetch(application?.url + path)).text();
  };
  /** The spans of the application, without those of the test's calls in the same process. */
  const served = () => receiver.spans.filter(({ name }) => /albums|AlbumsController/.test(name));

  it('exports the annotated span of a slow operation, with numbers as numbers', async () => {
    const { app, monitor } = await start({ httpThresholdMs: 100 });
    await get('/albums/slow');
    await until(() => monitor.getSlowOperations().length === 2);
    await app.close();
    const slow = receiver.spans.find(({ name }) => name === 'GET /albums/:id');
    expect(slow?.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/albums/:id',
      'http.response.status_code': 200,
      'performance.slow': true,
      'performance.operation.type': 'http',
      'performance.threshold': 100,
      'performance.duration': expect.any(Number),
      'performance.slowness_ratio': expect.any(Number),
      'performance.self_time_ms': expect.any(Number),
      'performance.memory.heap_used_mb': expect.any(Number),
      'performance.memory.heap_total_mb': expect.any(Number),
      'performance.memory.rss_mb': expect.any(Number),
      'performance.cpu.user_ms': expect.any(Number),
      'performance.cpu.system_ms': expect.any(Number),
      'performance.event_loop.utilization': expect.any(Number),
      'performance.event_loop.delay_max_ms': expect.any(Number),
      'performance.gc.pause_ms': expect.any(Number),
    });
    const child = receiver.spans.find(({ name }) => name === 'AlbumsController.load');
    expect(child).toMatchObject({ parentSpanId: slow?.spanId, traceId: slow?.traceId });
    expect(child?.events.map(({ name }) => name)).toEqual(['calculation.slow_operation']);
    expect(receiver.resource).toMatchObject({
      'service.name': 'store',
      'service.version': '1.2.3',
      'host.name': 'here',
    });
  });

  it('exports no literal of a statement and no query string', async () => {
    const { app } = await start();
    await get('/albums/1/query?token=abc');
    await app.close();
    const query = receiver.spans.find(({ name }) => name === 'pg.query');
    expect(query?.attributes['db.query.text']).toMatch(/select .* from users/i);
    expect(query?.attributes['url.full']).toBe('http://example.org/path');
    // Without ids: a hexadecimal number may contain it by chance.
    const told = receiver.spans.map(({ name, attributes, events }) => [name, attributes, events]);
    expect(JSON.stringify(told)).not.toMatch(/anna|987654321|abc|pass/);
  });

  it('exports only slow or failed traces at a sampling ratio of 0, and those completely', async () => {
    const { app, operation } = await start({ tracing: { sampling: { ratio: 0 } } });
    for (let i = 0; i < 20; i++) await get(`/albums/${i}`);
    await get('/albums/slow');
    await get('/albums/broken');
    await until(() => operation('GET /albums/:id')?.count === 22);
    await app.close();
    const traces = new Set(served().map(({ traceId }) => traceId));
    expect(traces.size).toBe(2);
    for (const traceId of traces) {
      const names = served()
        .filter((span) => span.traceId === traceId)
        .map(({ name }) => name);
      expect(names.sort()).toEqual(['AlbumsController.load', 'GET /albums/:id']);
    }
  });

  it('exports none of them with keepSlowTraces: false', async () => {
    const { app, operation } = await start({ tracing: { sampling: { ratio: 0, keepSlowTraces: false } } });
    await get('/albums/slow');
    await until(() => operation('GET /albums/:id')?.count === 1);
    await app.close();
    expect(served()).toEqual([]);
  });

  it('logs once that an endpoint cannot be reached, keeps everything else working, and shuts down in time', async () => {
    receiver.stop();
    const { app, operation, logged } = await start();
    for (let i = 0; i < 5; i++) await get(`/albums/${i}`);
    await until(() => operation('GET /albums/:id')?.count === 5);
    const begun = Date.now();
    await app.close();
    expect(Date.now() - begun).toBeLessThan(4500);
    const warnings = logged.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings.sort()).toEqual([
      expect.stringContaining(`Metrics cannot be exported to ${receiver.endpoint}`),
      expect.stringContaining(`Spans cannot be exported to ${receiver.endpoint}`),
    ]);
  });

  it('marks a failed span as failed', async () => {
    const { app } = await start();
    await get('/albums/broken');
    await app.close();
    const failed = receiver.spans.find(({ name }) => name === 'AlbumsController.load');
    expect(failed?.attributes).toMatchObject({ 'calculation.error': true, 'error.type': 'Error' });
    expect(SpanStatusCode.ERROR).toBe(2);
  });
});
