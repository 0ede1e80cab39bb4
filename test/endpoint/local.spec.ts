import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { isLocal } from '../../lib/nest/endpoint/local-request.js';
import { PerformanceModule } from '../../lib/nest/performance.module.js';
import { KeptLog, PLATFORMS, startApplication, type TestApplication } from '../support/application.js';

const LOCAL_HOSTS = [
  'localhost',
  'LOCALHOST:3000',
  'localhost.',
  'localhost.:3000',
  'shop.localhost',
  'shop.localhost.',
  '127.0.0.1',
  '127.0.0.1:80',
  '127.8.9.10:3000',
  '[::1]',
  '[::1]:3000',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]:3000',
  '[::ffff:7f00:1]',
];
const OTHER_HOSTS = [
  'evil.example',
  'evil.example:3000',
  'localhost.evil.example',
  'localhost.localdomain',
  'evillocalhost',
  'localhost..',
  '.localhost',
  '127.0.0.1.evil.example',
  '127.0.0.1.nip.io',
  '127-0-0-1.evil.example',
  '128.0.0.1',
  '192.168.0.7',
  '0.0.0.0:3000',
  '[::]',
  '[::2]',
  '[fe80::1]',
  '[::ffff:10.0.0.1]',
  'localhost@evil.example',
  'evil.example#localhost',
  'localhost, evil.example',
  'localhost:3000:80',
  '',
];
/** After many refusals they are limited. */
const refused = (status: unknown): boolean => status === 403 || status === 429;

/** Headers of clients, which no proxy adds. */
const OWN_HEADERS = [
  'accept-language: de',
  'authorization: Basic bWU6bWU=',
  'baggage: a=1',
  'dnt: 1',
  'if-none-match: "1"',
  'origin-agent-cluster: ?1',
  'referer: http://localhost/',
  'sec-fetch-site: none',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'user-agent: curl',
  'x-b3-traceid: 1',
  'x-correlation-id: 7',
  'x-forward: 1',
  'x-request-id: 7',
  'x-requested-with: XMLHttpRequest',
];
const PROXY_HEADERS = [
  'akamai-origin-hop: 1',
  'cdn-loop: cloudflare',
  'cf-connecting-ip: 192.0.2.1',
  'cf-ray: 1',
  'client-ip: 192.0.2.1',
  'cloudfront-viewer-address: 192.0.2.1:80',
  'fastly-client-ip: 192.0.2.1',
  'fly-client-ip: 192.0.2.1',
  'forwarded: for=192.0.2.1',
  'front-end-https: on',
  'max-forwards: 10',
  'ngrok-skip-browser-warning: 1',
  'tailscale-user-login: a',
  'true-client-ip: 192.0.2.1',
  'via: 1.1 proxy',
  'wl-proxy-client-ip: 192.0.2.1',
  'x-amz-cf-id: 1',
  'x-amzn-trace-id: Root=1',
  'x-appengine-user-ip: 192.0.2.1',
  'x-arr-ssl: 1',
  'x-azure-clientip: 192.0.2.1',
  'x-client-ip: 192.0.2.1',
  'x-cloud-trace-context: 1/1',
  'x-cluster-client-ip: 192.0.2.1',
  'x-envoy-external-address: 192.0.2.1',
  'x-forwarded: 1',
  'x-forwarded-for: 127.0.0.1',
  'X-Forwarded-For:',
  'x-forwarded-host: localhost',
  'x-forwarded-proto: http',
  'x-ms-containerapp-name: a',
  'x-nf-client-connection-ip: 192.0.2.1',
  'x-original-forwarded-for: 192.0.2.1',
  'x-original-url: /performance',
  'x-pomerium-jwt-assertion: a',
  'x-proxy-user-ip: 192.0.2.1',
  'x-real-ip: 127.0.0.1',
  'x-scheme: http',
  'x-vercel-id: a',
];

describe.each(PLATFORMS)('a local caller on %s', (platform) => {
  let application: TestApplication;
  beforeAll(async () => {
    application = await startApplication(platform, {}, { baseline: { enabled: false } });
  });
  afterAll(() => application.app.close());

  /** The status of exactly these lines, sent without a client that adds or checks headers. */
  const status = (lines: string[], request = 'GET /performance/queries HTTP/1.1'): Promise<number> =>
    new Promise((resolve, reject) => {
      const { port, hostname } = new URL(application.url);
      const socket = connect(Number(port), hostname);
      let text = '';
      socket.on('data', (chunk) => {
        text += String(chunk);
      });
      socket.on('end', () => resolve(Number(text.slice(9, 12))));
      socket.on('error', reject);
      socket.write(`${[request, ...lines, 'connection: close'].join('\r\n')}\r\n\r\n`);
    });

  it('asks for a name or an address of this machine', async () => {
    for (const host of LOCAL_HOSTS) expect([host, await status([`host: ${host}`])]).toEqual([host, 200]);
  });

  it('does not ask for any other name or address', async () => {
    for (const host of OTHER_HOSTS)
      expect([host, refused(await status([`host: ${host}`]))]).toEqual([host, true]);
  });

  it('names the same machine in every place', async () => {
    const target = 'GET http://localhost/performance/queries HTTP/1.1';
    expect(await status(['host: localhost'], target)).toBe(200);
    expect(await status(['host: localhost'], target.replace('localhost', 'evil.example'))).toBe(403);
    expect(await status(['host: localhost', 'host: evil.example'])).not.toBe(200);
    expect(await status(['host: localhost'], 'GET /performance/queries HTTP/1.0')).toBe(200);
    expect(await status([], 'GET /performance/queries HTTP/1.0')).toBe(403);
  });

  it('may send any header that no proxy adds', async () => {
    for (const header of OWN_HEADERS)
      expect([header, await status(['host: localhost', header])]).toEqual([header, 200]);
  });

  it('is not behind a proxy', async () => {
    for (const header of PROXY_HEADERS)
      expect([header, refused(await status(['host: localhost', header]))]).toEqual([header, true]);
  });
});

describe('a local caller over HTTP/2', () => {
  let log: KeptLog;
  let port: number;
  let close: () => Promise<void>;
  beforeAll(async () => {
    class AppModule {}
    Module({
      imports: [PerformanceModule.forRoot({ alerts: { enabled: false }, baseline: { enabled: false } })],
    })(AppModule);
    log = new KeptLog();
    const adapter = new FastifyAdapter({ http2: true } as never);
    const app = await NestFactory.create(AppModule, adapter, { logger: log, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as { port: number }).port;
    close = () => app.close();
  });
  afterAll(() => close());

  const ask = (headers: Record<string, string>): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      session.on('error', reject);
      const stream = session.request({ ':path': '/performance/queries', ...headers });
      let answered: Record<string, unknown> = {};
      stream.on('response', (response) => {
        answered = response;
      });
      stream.on('error', reject);
      stream.on('close', () => {
        session.close();
        resolve(answered);
      });
      stream.resume();
      stream.end();
    });
  const status = async (headers: Record<string, string>): Promise<unknown> => (await ask(headers))[':status'];

  it('names this machine as the authority', async () => {
    for (const host of LOCAL_HOSTS) expect([host, await status({ ':authority': host })]).toEqual([host, 200]);
  });

  it('does not name any other machine as the authority', async () => {
    for (const host of OTHER_HOSTS.filter((one) => /^[\w.:[\]-]+$/.test(one) && one !== 'localhost:3000:80'))
      expect([host, refused(await status({ ':authority': host }))]).toEqual([host, true]);
  });

  it('names no other machine beside the authority', async () => {
    expect(await status({ ':authority': 'localhost', host: 'localhost' })).toBe(200);
    expect(await status({ ':authority': 'localhost', host: 'evil.example' })).toBe(403);
    expect(await status({ ':authority': 'evil.example', host: 'localhost' })).toBe(403);
  });

  it('is not behind a proxy', async () => {
    expect(await status({ ':authority': 'localhost', 'x-request-id': '1' })).toBe(200);
    expect(await status({ ':authority': 'localhost', 'x-forwarded-for': '127.0.0.1' })).toBe(403);
  });

  it('resets the statistics with a session, whose cookie is not marked as secure', async () => {
    const authority = { ':authority': 'localhost' };
    const reset = { ...authority, ':method': 'DELETE', ':path': '/performance/stats' };
    expect(await status(reset)).toBe(403);
    const begin = { ...authority, ':method': 'POST', ':path': '/performance/session' };
    const [set = ''] = [(await ask(begin))['set-cookie']].flat() as string[];
    expect(set).not.toContain('Secure');
    const cookie = set.split(';')[0] ?? '';
    expect(await status({ ...reset, cookie, origin: 'http://evil.example' })).toBe(403);
    expect(await status({ ...reset, cookie, origin: 'http://localhost' })).toBe(204);
    expect(log.kept.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('an address of a socket', () => {
  const from = (remoteAddress: string | undefined): boolean =>
    isLocal({
      url: '/performance',
      headers: { host: 'localhost' },
      socket: remoteAddress === undefined ? {} : { remoteAddress },
    });

  it.each(['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1'])('is local: %s', (address) => {
    expect(from(address)).toBe(true);
  });

  it.each([undefined, '', '10.0.0.1', '128.0.0.1', '::', '::2', '::ffff:10.0.0.1', 'fe80::1%lo', '127.evil'])(
    'is not local: %s',
    (address) => {
      expect(from(address)).toBe(false);
    },
  );
});
