import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  type CanActivate,
  Controller,
  Get,
  type MessageEvent,
  Param,
  Post,
  Sse,
  UseGuards,
} from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { type Observable, of } from 'rxjs';
import { SlowThreshold } from '../../lib/nest/decorators/slow-threshold.decorator.js';
import { withPerformanceTracking } from '../../lib/nest/decorators/track-performance.decorator.js';
import { liveSpanOf } from '../../lib/spans/live-span.js';
import { PLATFORMS, startApplication, type TestApplication, until } from '../support/application.js';
import { sleep } from '../support/tracing.js';

class Closed implements CanActivate {
  async canActivate(): Promise<boolean> {
    await sleep(30);
    return false;
  }
}

@Controller('users')
class UsersController {
  static reached = (): void => {};

  @Get(':id')
  find(@Param('id') id: string): { id: string } {
    return { id };
  }

  @Get(':id/private')
  @UseGuards(Closed)
  secret(): string {
    return 'never';
  }

  @Get(':id/broken')
  broken(): never {
    throw new RangeError('broken');
  }

  @Get(':id/slow')
  @SlowThreshold(20)
  async slow(): Promise<string> {
    await sleep(40);
    return 'slow';
  }

  @Get(':id/forever')
  forever(): Promise<string> {
    UsersController.reached();
    return new Promise(() => {});
  }

  @Post()
  create(@Body() body: unknown): { size: number } {
    return { size: JSON.stringify(body).length };
  }

  @Sse(':id/events')
  @SlowThreshold(0)
  events(): Observable<MessageEvent> {
    return of({ data: 'hello' });
  }

  @Get(':id/child')
  async child(@Param('id') id: string): Promise<{ same: boolean }> {
    const outer = trace.getActiveSpan();
    await sleep(Number(id) % 5);
    return withPerformanceTracking('step', async () => {
      const inner = liveSpanOf(trace.getActiveSpan());
      await sleep(Number(id) % 3);
      return {
        same: outer !== undefined && inner?.parent?.span === outer && trace.getActiveSpan() === inner.span,
      };
    });
  }
}

/** Few paths are compared, others looked up. */
const OTHERS = Array.from({ length: 8 }, (_, count) => `/ready/${count}`);

describe.each(PLATFORMS)('an incoming request on %s', (platform) => {
  let application: TestApplication;
  beforeEach(async () => {
    application = await startApplication(
      platform,
      { controllers: [UsersController] },
      { httpThresholdMs: 1000, http: { ignore: [...OTHERS, '/health', '/internal/', /\.ico$/] } },
    );
  });
  afterEach(() => application.app.close());

  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(application.url + path, init);

  it('is named by its route and never by its path', async () => {
    for (const id of ['1', '2', 'secret']) await (await get(`/users/${id}?token=abc`)).text();
    await until(() => application.operation('GET /users/:id')?.count === 3);
    expect(JSON.stringify(application.monitor.getStats())).not.toMatch(/secret|abc/);
  });

  it('is counted when a guard rejects it, when it fails, and when no route matches', async () => {
    expect((await get('/users/1/private')).status).toBe(403);
    expect((await get('/users/1/broken')).status).toBe(500);
    expect((await get('/nothing/here')).status).toBe(404);
    expect(
      (
        await get('/users', {
          method: 'POST',
          body: '{"a":',
          headers: { 'content-type': 'application/json' },
        })
      ).status,
    ).toBe(400);
    await until(() => application.monitor.getStats().byType['http']?.count === 4);
    expect(application.operation('GET /users/:id/private')).toMatchObject({ count: 1, errorCount: 0 });
    expect(application.operation('GET /users/:id/private')?.minDuration).toBeGreaterThan(25);
    expect(application.operation('GET /users/:id/broken')).toMatchObject({ count: 1, errorCount: 1 });
    expect(application.operation('GET (unmatched)')).toMatchObject({ count: 1, errorCount: 0 });
  });

  it('is timed from its first byte to the close of its response, including the upload of its body', async () => {
    const sent = new Promise<void>((resolve, reject) => {
      const upload = request(`${application.url}/users`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      });
      upload.once('error', reject);
      upload.once('response', (response) => response.resume().once('end', resolve));
      // From its first byte at the server: a busy machine may delay that one.
      application.app.getHttpServer().once('request', () => setTimeout(() => upload.end('"x"}'), 60));
      upload.write('{"name":');
    });
    await sent;
    await until(() => application.operation('POST /users')?.count === 1);
    expect(application.operation('POST /users')?.minDuration).toBeGreaterThan(55);
  });

  it('ends when the client disconnects', async () => {
    const gone = request(`${application.url}/users/1/forever`).end();
    gone.once('error', () => {});
    UsersController.reached = () => gone.destroy();
    await until(() => application.operation('GET /users/:id/forever')?.count === 1);
  });

  it('is slow by the threshold of its route, and has the durations of its stages', async () => {
    await (await get('/users/1/slow')).text();
    await (await get('/users/1')).text();
    await until(() => application.monitor.getSlowOperations().length === 1);
    const [slow] = application.monitor.getSlowOperations();
    expect(slow).toMatchObject({
      type: 'http',
      name: 'GET /users/:id/slow',
      thresholdMs: 20,
      error: false,
      http: { statusCode: 200, handler: 'UsersController.slow' },
      resources: { heapUsedMb: expect.any(Number), eventLoopUtilization: expect.any(Number) },
    });
    expect(slow?.http?.handlerMs).toBeGreaterThan(35);
    expect(application.monitor.getSlowOperation(slow?.id ?? '')).toBe(slow);
    expect(application.operation('GET /users/:id/slow')).toMatchObject({ slowCount: 1 });
  });

  it('is never slow as an event stream', async () => {
    await (await get('/users/1/events')).text();
    await until(() => application.operation('GET /users/:id/events')?.count === 1);
    expect(application.monitor.getSlowOperations()).toEqual([]);
  });

  it('is not measured on an ignored path', async () => {
    for (const path of ['/health', '/internal/x', '/favicon.ico', '/favicon.ico']) await get(path);
    await get('/healthy');
    await until(() => application.monitor.getStats().byType['http']?.count === 1);
  });

  it('is not counted for the endpoint itself', async () => {
    await get('/performance/stats');
    await get('/performance/slow');
    await get('/users/1');
    await until(() => application.monitor.getStats().byType['http']?.count === 1);
  });

  it('is the parent of its own operations, with keep-alive and concurrent requests', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const ask = (id: number): Promise<string> =>
      new Promise((resolve, reject) => {
        request(`${application.url}/users/${id}/child`, { agent }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk) => {
            text += chunk;
          });
          response.once('end', () => resolve(text));
        })
          .once('error', reject)
          .end();
      });
    const answers = await Promise.all(Array.from({ length: 300 }, (_, id) => ask(id)));
    expect(new Set(answers)).toEqual(new Set(['{"same":true}']));
    agent.destroy();
  });

  it('is measured on another server of the same application, and on no other server', async () => {
    const listener = application.app.getHttpServer().listeners('request').at(-1) as () => void;
    const second = createServer(listener).listen(0, '127.0.0.1');
    const other = createServer((_request, response) => response.end('other')).listen(0, '127.0.0.1');
    const url = (server: typeof second): string =>
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/users/1`;
    await sleep(10);
    await (await fetch(url(second))).text();
    await (await fetch(url(other))).text();
    await until(() => application.operation('GET /users/:id')?.count === 1);
    second.close();
    other.close();
  });

  it('continues the trace of its caller', async () => {
    let seen: string | undefined;
    application.app.getHttpServer().prependListener('request', () => {
      seen = trace.getActiveSpan()?.spanContext().traceId;
    });
    // Over a socket: `fetch` and `http.request` are instrumented here, and would send the trace of the test.
    const socket = connect(Number(new URL(application.url).port), '127.0.0.1');
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    socket.write(
      `GET /users/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\ntraceparent: ${traceparent}\r\n\r\n`,
    );
    await once(socket.resume(), 'end');
    expect(seen).toBe('0af7651916cd43dd8448eb211c80319c');
  });

  it('is not measured after the application has closed', async () => {
    const server = application.app.getHttpServer();
    await application.app.close();
    expect(Object.hasOwn(server, 'emit')).toBe(false);
    application = await startApplication(platform, {});
  });
});
