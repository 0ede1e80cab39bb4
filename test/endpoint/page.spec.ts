import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import fastifyCompress from '@fastify/compress';
import fastifyHelmet from '@fastify/helmet';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type INestApplication, VersioningType } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import compression from 'compression';
import helmet from 'helmet';
import { PAGE_POLICY } from '../../lib/dashboard/page-shell.js';
import { PLATFORMS } from '../support/application.js';
import { BUNDLE, SCRIPT, startPage } from './page-support.js';

describe.each(PLATFORMS)('the page on %s', (platform) => {
  let app: INestApplication | undefined;
  let proxy: Server | undefined;
  const { NODE_ENV } = process.env;
  afterEach(async () => {
    process.env['NODE_ENV'] = NODE_ENV;
    await app?.close();
    proxy?.closeAllConnections();
    proxy?.close();
    app = proxy = undefined;
  });

  const start = async (...parts: Parameters<typeof startPage> extends [unknown, ...infer T] ? T : never) => {
    const started = await startPage(platform, ...parts);
    app = started.app;
    return started.url;
  };
  /** Loads the style and script of the shell relative to its base, as a browser does. */
  const load = async (address: string): Promise<{ statuses: number[]; policy: string | null }> => {
    const shell = await fetch(address);
    const html = await shell.text();
    const base = new URL(/<base href="([^"]+)">/.exec(html)?.[1] ?? '', address);
    const files = [...html.matchAll(/(?:href|src)="(ui\/[^"]+)"/g)].map(
      ([, file = '']) => new URL(file, base),
    );
    expect(files.map(({ pathname }) => pathname.split('/').at(-1))).toEqual(['app.css', 'app.js']);
    const answers = [...files, new URL('overview', base)].map((file) => fetch(file));
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    return { statuses: [shell.status, ...statuses], policy: shell.headers.get('content-security-policy') };
  };
  const good = { statuses: [200, 200, 200, 200], policy: PAGE_POLICY };
  const secured = async (application: INestApplication): Promise<void> => {
    if (platform === 'express') {
      application.use(helmet());
      application.use(compression());
    } else {
      const fastify = application as NestFastifyApplication;
      await fastify.register(fastifyHelmet);
      await fastify.register(fastifyCompress);
    }
  };

  it('loads its files with and without a trailing slash', async () => {
    const url = await start();
    for (const path of ['/performance', '/performance/', '/performance?at=1#/slow/1'])
      expect(await load(url + path)).toEqual(good);
  });

  it('loads them below endpointPath, ignoring prefix and versions', async () => {
    const url = await start({ endpointPath: 'internal/speed' }, (application) => {
      application.setGlobalPrefix('api');
      application.enableVersioning({ type: VersioningType.URI });
    });
    for (const path of ['/internal/speed', '/internal/speed/']) expect(await load(url + path)).toEqual(good);
  });

  it('loads them behind a proxy that strips a prefix', async () => {
    const url = await start({ endpoint: { authorize: () => true } });
    proxy = createServer((request, response) => {
      const path = request.url?.replace(/^\/shop\/v2/, '') ?? '/';
      httpRequest(url + path, { headers: { ...request.headers, host: 'inside' } }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      }).end();
    });
    await new Promise<void>((resolve) => proxy?.listen(0, '127.0.0.1', resolve));
    const outside = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/shop/v2`;
    for (const path of ['/performance', '/performance/']) expect(await load(outside + path)).toEqual(good);
  });

  it('keeps its policy and stream with security and compression middleware', async () => {
    const url = await start({}, secured);
    expect(await load(`${url}/performance`)).toEqual(good);
    const script = await fetch(`${url}/performance/ui/app.js`);
    expect(await script.text()).toBe(SCRIPT);
    expect(script.headers.get('content-encoding')).toBe('gzip');
    const headers = { 'accept-encoding': 'gzip' };
    const stream = await new Promise<IncomingMessage>((resolve, reject) => {
      httpRequest(`${url}/performance/stream`, { headers, agent: false }, resolve)
        .once('error', reject)
        .end();
    });
    expect(stream.headers['content-encoding']).toBeUndefined();
    for await (const chunk of stream) {
      expect(String(chunk)).toContain('event: overview');
      break;
    }
  });

  it('contains no inline script or style, and no data of the application', async () => {
    const url = await start({ serviceName: 'secret-shop' });
    const html = await (await fetch(`${url}/performance`)).text();
    expect(html).not.toMatch(/<style|style=|\son\w+=|<script(?! type="module" src="ui\/app\.js"><\/script>)/);
    expect(html).not.toContain('secret-shop');
    expect(PAGE_POLICY).not.toContain('unsafe');
    // Without it, browsers ask for `/favicon.ico`, which the application would count.
    expect(html).toMatch(/<link rel="icon" href="data:image\/svg\+xml,%3Csvg[^"]+">/);
    expect(PAGE_POLICY).toMatch(/img-src [^;]*data:/);
  });

  it('serves files gzipped if accepted', async () => {
    const url = await start();
    const ask = (
      headers: Record<string, string>,
    ): Promise<{ status?: number; type?: string; body: Buffer }> =>
      new Promise((resolve, reject) => {
        httpRequest(`${url}/performance/ui/app.js`, { headers }, async (answer) => {
          const chunks: Buffer[] = [];
          for await (const chunk of answer) chunks.push(chunk);
          const { statusCode: status, headers: given } = answer;
          const type = `${given['content-type']} ${given['content-encoding'] ?? 'plain'} ${given['x-content-type-options']}`;
          resolve({ status, type, body: Buffer.concat(chunks) });
        })
          .once('error', reject)
          .end();
      });
    const zipped = await ask({ 'accept-encoding': 'br, gzip' });
    expect(zipped.type).toBe('text/javascript; charset=utf-8 gzip nosniff');
    expect(gunzipSync(zipped.body).toString()).toBe(SCRIPT);
    const plain = await ask({});
    expect(plain.type).toBe('text/javascript; charset=utf-8 plain nosniff');
    expect(plain.body.toString()).toBe(SCRIPT);
    const known = await ask({ 'if-none-match': BUNDLE['app.js']?.etag ?? '' });
    expect([known.status, known.body.length]).toEqual([304, 0]);
  });

  it('serves only its own files', async () => {
    const url = await start();
    for (const name of [
      'nothing.js',
      '..%2Fapp.js',
      '%2Fetc%2Fpasswd',
      'constructor',
      '__proto__',
      'app.js%00',
      '',
    ])
      expect([name, (await fetch(`${url}/performance/ui/${name}`)).status]).toEqual([name, 404]);
    expect((await fetch(`${url}/performance/nothing`)).status).toBe(404);
  });

  it('reports a missing build', async () => {
    const url = await start({}, undefined, {});
    const html = await (await fetch(`${url}/performance`)).text();
    expect(html).toContain('npm run build');
    expect(html).not.toContain('app.js');
  });

  it('is disabled with the endpoint', async () => {
    const url = await start({ endpoint: { enabled: false } });
    for (const path of ['', '/', '/ui/app.js', '/overview', '/stream'])
      expect((await fetch(`${url}/performance${path}`)).status).toBe(404);
  });

  it('is public with a token, and closed without', async () => {
    process.env['NODE_ENV'] = 'production';
    const url = await start({ endpoint: { token: 'sixteen-characters' } });
    for (const path of ['', '/ui/app.js'])
      expect((await fetch(`${url}/performance${path}`)).status).toBe(200);
    expect((await fetch(`${url}/performance/overview`)).status).toBe(403);
    await app?.close();
    const closed = await start();
    for (const path of ['', '/ui/app.js', '/overview'])
      expect((await fetch(`${closed}/performance${path}`)).status).toBe(403);
  });
});
