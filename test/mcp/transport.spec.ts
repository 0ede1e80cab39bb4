import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { Response as ExpressResponse, NextFunction, Request } from 'express';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import type { PerformanceModuleExtras } from '../../lib/nest/performance.module.js';
import {
  fetchFromOutside,
  PLATFORMS,
  startApplication,
  type TestApplication,
} from '../support/application.js';
import { Agent } from './client.js';
import { AlbumsController, AlbumsService } from './shop.js';

const TOKEN = 'sixteen-characters';
const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const CALL = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'list_findings', arguments: {} },
};
const LARGE = { ...CALL, params: { ...CALL.params, arguments: { operation: 'x'.repeat(3_000_000) } } };

describe.each(PLATFORMS)('the MCP endpoint on %s', (platform) => {
  let application: TestApplication | undefined;
  const { NODE_ENV } = process.env;
  afterEach(async () => {
    process.env['NODE_ENV'] = NODE_ENV;
    await application?.app.close();
    application = undefined;
  });

  const start = async (
    options: PerformanceOptions & PerformanceModuleExtras = {},
    before?: (app: INestApplication) => unknown,
    nest?: { bodyParser?: boolean; rawBody?: boolean },
  ): Promise<void> => {
    application = await startApplication(
      platform,
      { controllers: [AlbumsController], providers: [AlbumsService], before, nest },
      { baseline: { enabled: false }, ...options },
    );
  };
  const ask = (init: RequestInit = {}, path = 'performance/mcp'): Promise<Response> =>
    fetchFromOutside(`${application?.url}/${path}`, {
      method: 'POST',
      headers: HEADERS,
      body: init.method === 'GET' || init.method === 'DELETE' ? null : JSON.stringify(CALL),
      ...init,
    });
  const answers = async (init?: RequestInit, path?: string): Promise<unknown> => {
    const response = await ask(init, path);
    return { status: response.status, body: await response.json() };
  };
  const ANSWERED = {
    status: 200,
    body: { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: '0 findings.' }] } },
  };

  it('answers one message as JSON, without a session', async () => {
    await start();
    const response = await ask();
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(await response.json()).toMatchObject(ANSWERED.body);
    const notification = { jsonrpc: '2.0', method: 'notifications/initialized' };
    const accepted = await ask({ body: JSON.stringify(notification) });
    expect({ status: accepted.status, body: await accepted.text() }).toEqual({ status: 202, body: '' });
  });

  it('has neither streams nor sessions', async () => {
    await start();
    for (const method of ['GET', 'DELETE']) {
      const response = await ask({ method, headers: { accept: 'text/event-stream' } });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('POST');
    }
  });

  it('refuses what is no message of the protocol', async () => {
    await start();
    const refusal = async (init: RequestInit): Promise<unknown> => {
      const { status, body } = (await answers(init)) as { status: number; body: { error?: unknown } };
      return [status, (body.error as { code?: number })?.code ?? 'http'];
    };
    const { accept: _, ...withoutAccept } = HEADERS;
    expect(await refusal({ body: '[]' })).toEqual([400, -32600]);
    expect(await refusal({ body: JSON.stringify([CALL, CALL]) })).toEqual([400, -32600]);
    expect(await refusal({ body: '{}' })).toEqual([400, -32700]);
    expect(await refusal({ body: '{"jsonrpc":"2.0","id":{},"method":1}' })).toEqual([400, -32700]);
    expect(await refusal({ headers: { ...withoutAccept, accept: 'text/html' } })).toEqual([406, -32000]);
    expect(await refusal({ headers: { ...HEADERS, 'mcp-protocol-version': '1999-01-01' } })).toEqual([
      400, -32000,
    ]);
    const unknown = JSON.stringify({ ...CALL, method: '__proto__' });
    expect(await answers({ body: unknown })).toMatchObject({
      status: 200,
      body: { error: { code: -32601 } },
    });
    const other = JSON.stringify({ ...CALL, params: { name: 'constructor', arguments: {} } });
    expect(await answers({ body: other })).toMatchObject({
      status: 200,
      body: {
        error: {
          code: -32602,
          message: expect.stringContaining(
            'Unknown tool: received "constructor", expected one of get_overview',
          ),
        },
      },
    });
  });

  it('refuses a form of another site, with and without the type of JSON', async () => {
    await start();
    for (const type of ['text/plain', 'application/json', 'application/x-www-form-urlencoded'])
      for (const headers of <Record<string, string>[]>[
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
        { referer: 'https://evil.example/' },
      ]) {
        const response = await ask({ headers: { ...HEADERS, 'content-type': type, ...headers } });
        expect({ type, headers, status: response.status }).toEqual({ type, headers, status: 403 });
      }
  });

  it('is as closed as the endpoint, before it reads a body', async () => {
    process.env['NODE_ENV'] = 'production';
    await start();
    expect((await ask()).status).toBe(403);
    expect((await ask({ method: 'GET' })).status).toBe(403);
    await expect(Agent.at(`${application?.url}/performance`)).rejects.toThrow('endpoint.token');
  });

  it('requires the token, which an agent sends as a header', async () => {
    process.env['NODE_ENV'] = 'production';
    await start({ endpoint: { token: TOKEN } });
    expect((await ask()).status).toBe(403);
    expect((await ask({ headers: { ...HEADERS, authorization: 'Bearer other-characters' } })).status).toBe(
      403,
    );
    const agent = await Agent.at(`${application?.url}/performance`, { authorization: `Bearer ${TOKEN}` });
    expect((await agent.call('list_findings')).text).toBe('0 findings.');
    await agent.close();
  });

  it('can be disabled, and follows the path of the endpoint', async () => {
    await start({ endpoint: { mcp: false } });
    expect(await answers()).toMatchObject({
      status: 404,
      body: { message: 'The MCP endpoint is disabled: the option endpoint.mcp is false' },
    });
    for (const method of ['GET', 'DELETE']) expect((await ask({ method, headers: {} })).status).toBe(404);
    await application?.app.close();
    await start({ endpointPath: 'internal/speed' }, (app) => app.setGlobalPrefix('api'));
    expect(await answers({}, 'internal/speed/mcp')).toMatchObject(ANSWERED);
  });

  it('is not counted among the operations, and reached by no interceptor of the application', async () => {
    await start({}, (app) =>
      app.useGlobalInterceptors({
        intercept: () => {
          throw new Error('intercepted');
        },
      }),
    );
    expect(await answers()).toMatchObject(ANSWERED);
    expect(application?.monitor.getStats().operations).toEqual([]);
  });

  describe('the body', () => {
    // One connection, which has to remain usable.
    const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 });
    afterAll(() => agent.destroy());
    const chunked = (body: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const asked = httpRequest(
          `${application?.url}/performance/mcp`,
          { agent, method: 'POST', headers: { ...HEADERS, 'transfer-encoding': 'chunked' } },
          (response) => {
            response.resume();
            resolve(response.statusCode);
          },
        );
        asked.once('error', reject);
        for (let at = 0; at < body.length; at += 10_000) asked.write(body.slice(at, at + 10_000));
        asked.end();
      });

    it('is read with the parser of Nest', async () => {
      await start();
      expect(await answers()).toMatchObject(ANSWERED);
      expect(await chunked(JSON.stringify(CALL))).toBe(200);
      expect((await ask({ body: JSON.stringify(LARGE) })).status).toBe(413);
      expect(await chunked(JSON.stringify(LARGE))).toBe(413);
      expect((await ask({ body: '{' })).status).toBe(400);
    });

    it('is read with the raw body kept', async () => {
      await start({}, undefined, { rawBody: true });
      expect(await answers()).toMatchObject(ANSWERED);
    });

    it('is read where the application has no parser', async () => {
      await start({}, undefined, { bodyParser: false });
      expect(await answers()).toMatchObject(ANSWERED);
      expect(await chunked(JSON.stringify(CALL))).toBe(200);
      expect((await ask({ body: JSON.stringify(LARGE) })).status).toBe(413);
      expect(await chunked(JSON.stringify(LARGE))).toBe(413);
      expect(await chunked(JSON.stringify(CALL))).toBe(200);
      expect((await ask({ body: '{' })).status).toBe(400);
      expect((await ask({ body: '' })).status).toBe(400);
      // Parsers decode it; without one it is refused.
      const zipped = await ask({
        headers: { ...HEADERS, 'content-encoding': 'gzip' },
        body: gzipSync(JSON.stringify(CALL)),
      });
      expect([400, 415]).toContain(zipped.status);
    });
  });

  // Middleware of Express.
  if (platform === 'express')
    describe('the body in Express', () => {
      const use = (middleware: (request: Request, response: ExpressResponse, next: NextFunction) => void) =>
        start({}, (app) => app.use(middleware), { bodyParser: false });

      it('is read as text and as bytes', async () => {
        for (const body of [JSON.stringify(CALL), Buffer.from(JSON.stringify(CALL))]) {
          await use((request, _response, next) => {
            request.body = body;
            next();
          });
          expect(await answers()).toMatchObject(ANSWERED);
          await application?.app.close();
        }
        await use((request, _response, next) => {
          request.body = Buffer.from(JSON.stringify(LARGE));
          next();
        });
        expect((await ask()).status).toBe(413);
      });

      it('is read where a parser left an empty object', async () => {
        await use((request, _response, next) => {
          request.body = {};
          next();
        });
        expect(await answers()).toMatchObject(ANSWERED);
      });

      it('is missing where the application consumed it', async () => {
        await use((request, _response, next) => {
          request.resume().once('end', next);
        });
        expect(await answers()).toMatchObject({
          status: 400,
          body: { message: expect.stringContaining('the application has read it and kept none') },
        });
      });
    });
});
