import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, type INestApplication, Param, Post } from '@nestjs/common';
import type { ExpressAdapter, NestExpressApplication } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import express from 'express';
import { SlowThreshold } from '../../lib/nest/decorators/slow-threshold.decorator.js';
import { performanceMatchers, recordPerformance } from '../../lib/testing/index.js';
import {
  fetchFromOutside,
  PLATFORMS,
  startApplication,
  type TestApplication,
  until,
} from '../support/application';
import { sleep } from '../support/tracing';

@Controller('cats')
class CatsController {
  @Get(':id')
  @SlowThreshold(20)
  async one(@Param('id') id: string): Promise<string> {
    await sleep(id === 'slow' ? 40 : 0);
    return id;
  }

  @Post(':id')
  change(@Body() body: unknown): unknown {
    return body;
  }
}

let application: TestApplication;
let folder: string | undefined;
afterEach(async () => {
  await application.app.close();
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
});
const get = async (path: string, init?: RequestInit): Promise<[number, string]> => {
  const response = await fetchFromOutside(application.url + path, init);
  return [response.status, await response.text()];
};
const counts = (): Record<string, number> =>
  Object.fromEntries(
    application.monitor
      .getStats({ operations: 1000 })
      .operations.filter(({ type }) => type === 'http')
      .map(({ name, count }) => [name, count]),
  );
const counted = async (expected: Record<string, number>): Promise<void> => {
  const sum = Object.values(expected).reduce((a, b) => a + b, 0);
  await until(() => application.monitor.getStats().byType['http']?.count === sum);
  expect(counts()).toEqual(expected);
};

type Next = (error?: unknown) => void;
type Request = { url: string };
type Response = { end(text: string): void; statusCode: number };
const answering = (_: Request, response: Response): void => response.end('answered');
const passing = (_: Request, __: Response, next: Next): void => next();

describe.each(PLATFORMS)('middleware that answers a request on %s', (platform) => {
  const start = async (before: (app: INestApplication) => unknown): Promise<void> => {
    application = await startApplication(platform, { controllers: [CatsController], before });
  };

  it('is named by its mount point, and by /* for what is below it', async () => {
    await start((app) => {
      app.use('/graphql', answering);
      app.use('/trpc', (request: Request, response: Response, next: Next) =>
        setImmediate(() => answering(request, response) ?? next),
      );
    });
    for (const path of [
      '/graphql',
      '/graphql?query=secret',
      '/graphql/',
      '/trpc/cats.byId',
      '/trpc/secret/x',
    ])
      expect(await get(path)).toEqual([200, 'answered']);
    await get('/graphql', { method: 'POST', body: 'x' });
    await counted({ 'GET /graphql': 3, 'POST /graphql': 1, 'GET /trpc/*': 2 });
    expect(JSON.stringify(application.monitor.getStats())).not.toContain('secret');
  });

  it('never takes a request that it passes on', async () => {
    await start((app) => {
      app.use('/cats', passing);
      app.use(passing);
    });
    await get('/cats/1');
    for (const path of ['/cats', '/secret/1', '/secret/2']) expect((await get(path))[0]).toBe(404);
    await counted({ 'GET /cats/:id': 1, 'GET (unmatched)': 3 });
  });

  it('is GET /* where it is mounted at the root and answers successfully', async () => {
    await start((app) =>
      app.use((request: Request, response: Response, next: Next) => {
        if (request.url.startsWith('/assets')) response.end('text');
        else if (request.url.startsWith('/denied')) {
          response.statusCode = 401;
          response.end('no');
        } else next();
      }),
    );
    for (const path of ['/assets/secret.js', '/denied/secret', '/other']) await get(path);
    await counted({ 'GET /*': 1, 'GET (unmatched)': 2 });
  });
});

describe('on Express', () => {
  const start = async (before: (app: NestExpressApplication) => unknown): Promise<void> => {
    application = await startApplication('express', {
      controllers: [CatsController],
      before: (app) => before(app as NestExpressApplication),
    });
  };

  it('a nested router is named by the templates of its mount point and its route', async () => {
    const reports = express.Router().get('/:report', (_, response) => void response.json(1));
    const tenants = express
      .Router()
      .get('/bills/:id', (_, response) => void response.json(1))
      .use('/reports', reports);
    await start((app) => app.use('/tenants/:tenant', tenants));
    for (let i = 0; i < 3; i++) await get(`/tenants/customer-${i}@mail.example/bills/${i}`);
    await get('/tenants/secret/nothing');
    await get('/tenants/secret/reports/secret');
    await counted({
      'GET /tenants/:tenant/bills/:id': 3,
      'GET (unmatched)': 1,
      'GET /tenants/:tenant/*/:report': 1,
    });
    expect(JSON.stringify(application.monitor.getStats())).not.toMatch(/secret|customer/);
  });

  it('patterns, arrays and what was mounted on the application itself hold no value, either', async () => {
    await start((app) => {
      const instance = app.getHttpAdapter().getInstance() as express.Express;
      instance.use(/^\/v\d+/, (_, response) => void response.end('1'));
      instance.use(['/a', '/b/:secret'], (_, response) => void response.end('1'));
      instance.use('/w/*rest', (_, response) => void response.end('1'));
    });
    for (const path of ['/v1/secret', '/a', '/b/secret', '/b/secret/more', '/w/secret/more']) await get(path);
    await counted({ 'GET /*': 2, 'GET /a': 1, 'GET /b/:secret': 1, 'GET /b/:secret/*': 1 });
  });

  it('static files are named by their prefix', async () => {
    folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-static-'));
    writeFileSync(join(folder, 'secret.txt'), 'text');
    await start((app) => app.useStaticAssets(folder as string, { prefix: '/docs' }));
    expect(await get('/docs/secret.txt')).toEqual([200, 'text']);
    expect((await get('/docs/missing.txt'))[0]).toBe(404);
    await counted({ 'GET /docs/*': 1, 'GET (unmatched)': 1 });
  });

  it('`use` and `handle` are those of Express again when the application has closed', async () => {
    let instance = {} as Record<string, unknown>;
    await start((app) => {
      instance = app.getHttpAdapter().getInstance() as never;
    });
    const { handle, use } = instance;
    expect([handle, use]).not.toEqual([express()['handle' as never], express().use]);
    await application.app.close();
    expect([instance['handle'], instance['use']]).toEqual([express()['handle' as never], express().use]);
  });
});

describe('a request to a route of Fastify that is answered before its handler', () => {
  it('is named by the route, for bodies that are refused and for hooks', async () => {
    application = await startApplication('fastify', {
      controllers: [CatsController],
      before: async (app) => {
        const fastify = (app as NestFastifyApplication).getHttpAdapter().getInstance();
        fastify.addHook('preHandler', async ({ query }, reply) => {
          if ((query as { refuse?: string }).refuse !== undefined) await reply.code(429).send('too many');
        });
      },
    });
    const post = async (type: string, body: string): Promise<number> =>
      (await get('/cats/1', { method: 'POST', headers: { 'content-type': type }, body }))[0];
    expect(await post('application/json', '{')).toBe(400);
    expect(await post('application/x-unknown', '{')).toBe(415);
    expect(await post('application/json', JSON.stringify('x'.repeat(2_000_000)))).toBe(413);
    expect((await get('/cats/1?refuse'))[0]).toBe(429);
    expect((await get('/nothing', { method: 'POST', body: '{' }))[0]).toBe(404);
    await counted({ 'POST /cats/:id': 3, 'GET /cats/:id': 1, 'POST (unmatched)': 1 });
  });

  it('is named by a middleware with a mount point that answers it', async () => {
    application = await startApplication('fastify', {
      controllers: [CatsController],
      before: async (app) => {
        app.use('/cats/9', answering);
      },
    });
    expect(await get('/cats/9')).toEqual([200, 'answered']);
    await counted({ 'GET /cats/9': 1 });
  });
});

describe('a request without a server', () => {
  it('is counted when Fastify injects it: routes, errors of matching and what no route matches', async () => {
    application = await startApplication('fastify', { controllers: [CatsController] });
    const app = application.app as NestFastifyApplication;
    expect((await app.inject({ method: 'GET', url: '/cats/1' })).payload).toBe('1');
    expect((await app.inject({ method: 'GET', url: '/nothing' })).statusCode).toBe(404);
    await get('/cats/2');
    await counted({ 'GET /cats/:id': 2, 'GET (unmatched)': 1 });
  });

  it('is slow by its threshold, and the matchers see it', async () => {
    application = await startApplication('fastify', { controllers: [CatsController] });
    const app = application.app as NestFastifyApplication;
    const recording = await recordPerformance(() => app.inject({ method: 'GET', url: '/cats/slow' }));
    const { toStayUnderThresholds } = performanceMatchers as unknown as Record<
      string,
      (this: object, recording: unknown) => { pass: boolean }
    >;
    expect(toStayUnderThresholds?.call({ isNot: false }, recording).pass).toBe(false);
    await until(() => application.monitor.getSlowOperations().length === 1);
    expect(application.monitor.getSlowOperations()[0]).toMatchObject({
      name: 'GET /cats/:id',
      http: { statusCode: 200, handler: 'CatsController.one' },
    });
  });

  it.each([
    ['without a handshake', { upgrade: 'websocket' }],
    ['that refuses a handshake', { upgrade: 'websocket', 'sec-websocket-key': 'key' }],
    ['with headers of any type', { upgrade: ['websocket'] }],
  ])('is no stream by a header of its client: a request %s', async (_which, headers) => {
    application = await startApplication('fastify', { controllers: [CatsController] });
    const app = application.app as NestFastifyApplication;
    const { statusCode } = await app.inject({ method: 'GET', url: '/cats/slow', headers: headers as never });
    expect(statusCode).toBe(200);
    await until(() => application.monitor.getSlowOperations().length === 1);
  });

  it('is counted once when an adapter calls Express, whose response is only finished', async () => {
    application = await startApplication('express', { controllers: [CatsController] });
    const handle = (application.app.getHttpAdapter() as ExpressAdapter).getInstance() as (
      request: IncomingMessage,
      response: ServerResponse,
    ) => void;
    for (const url of ['/cats/1', '/cats/2', '/missing', '/performance/stats']) {
      const request = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url });
      request.push(null);
      const response = new ServerResponse(request);
      const socket = new Socket();
      // As serverless adapters do: nothing is connected.
      Object.assign(socket, { _write: (_: unknown, __: unknown, done: () => void) => done() });
      socket.write = ((_: unknown, __: unknown, done?: () => void) => done?.() ?? true) as never;
      response.assignSocket(socket);
      const finished = new Promise((resolve) => response.once('finish', resolve));
      handle(request, response);
      await finished;
    }
    await get('/cats/3');
    await counted({ 'GET /cats/:id': 3, 'GET (unmatched)': 1 });
  });

  it('is not counted after the application has closed', async () => {
    application = await startApplication('fastify', { controllers: [CatsController] });
    const { monitor } = application;
    const other = await startApplication('fastify', { controllers: [CatsController] });
    await application.app.close();
    expect(monitor.getStats().byType['http']).toBeUndefined();
    application = other;
    await get('/cats/1');
    await counted({ 'GET /cats/:id': 1 });
  });
});
