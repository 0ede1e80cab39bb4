import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener } from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { liveSpanOf } from '../../../lib/spans/live-span.js';
import { traceFetch } from '../../../lib/tracing/outgoing-calls/fetch-client.js';
import { traceHttpClients } from '../../../lib/tracing/outgoing-calls/http-client.js';
import { until } from '../../support/application.js';
import { startTracing, type TestTracing } from '../../support/tracing.js';

/** Ciphers without a certificate. */
const ANONYMOUS = {
  ciphers: 'aNULL:@SECLEVEL=0',
  maxVersion: 'TLSv1.2',
  dhparam: 'auto',
} as const;

let tracing: TestTracing;
let ends: (() => void)[];
let servers: Server[];
let received: IncomingMessage[];
const original = http.request;

beforeEach(() => {
  tracing = startTracing();
  const tracer = tracing.provider.getTracer('test');
  ends = [traceHttpClients(tracer), traceFetch(tracer)];
  servers = [];
  received = [];
});
afterEach(async () => {
  for (const end of ends) end();
  for (const server of servers) {
    (server as Partial<http.Server>).closeAllConnections?.();
    await new Promise((resolve) => server.close(resolve));
  }
  await tracing.shutdown();
});

const ANSWERS: RequestListener = (request, response) => {
  received.push(request);
  const { pathname } = new URL(request.url ?? '/', 'http://x');
  response.statusCode = Number(/^\/status\/(\d+)/.exec(pathname)?.[1] ?? 200);
  request.resume().on('end', () => response.end('answer'));
};

async function serve(listener: RequestListener = ANSWERS, path?: string): Promise<string> {
  const server = http.createServer(listener);
  servers.push(server);
  server.listen(path ?? { port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  return path ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serveTls(): Promise<string> {
  const server = https.createServer(ANONYMOUS, ANSWERS);
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Reads a response to its end. */
async function body(request: http.ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

async function spans(count = 1): Promise<ReadableSpan[]> {
  await until(() => tracing.exported().length >= count);
  return tracing.exported();
}
const only = async (): Promise<ReadableSpan> => (await spans())[0] as ReadableSpan;

type Send = (url: string, path: string) => Promise<unknown>;
const CLIENTS: Record<string, Send> = {
  'http.get(url)': (url, path) => body(http.get(url + path)),
  'http.get(URL)': (url, path) => body(http.get(new URL(url + path))),
  'http.get(options)': (url, path) => {
    const { hostname, port } = new URL(url);
    return body(http.get({ hostname, port, path }));
  },
  'http.get(url, options)': (url, path) =>
    body(http.get(`http://127.0.0.1${path}`, { port: new URL(url).port })),
  'http.request(url, callback)': (url, path) =>
    new Promise((resolve) => {
      http.request(url + path, (response) => response.resume().on('end', resolve)).end();
    }),
  'http.request(options), whose response nobody reads': async (url, path) => {
    const { hostname: host, port } = new URL(url);
    await once(http.request({ host, port, path }).end(), 'close');
  },
  fetch: async (url, path) => (await fetch(url + path)).text(),
};

describe.each(Object.entries(CLIENTS))('a request by %s', (_, send) => {
  it('has a span by the semantic conventions, and passes it on', async () => {
    const url = await serve();
    await send(url, '/albums/7?page=2');
    const span = await only();
    expect(span.name).toBe('GET');
    expect(span.attributes).toEqual({
      'http.request.method': 'GET',
      'url.full': `${url}/albums/7?page=2`,
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(url).port),
      'http.response.status_code': 200,
      'network.peer.address': '127.0.0.1',
      'network.peer.port': Number(new URL(url).port),
      'network.protocol.version': '1.1',
    });
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    const { traceId, spanId } = span.spanContext();
    expect(received[0]?.headers.traceparent).toBe(`00-${traceId}-${spanId}-01`);
  });

  it('has failed with a status from 400 on', async () => {
    await send(await serve(), '/status/404');
    const { attributes, status } = await only();
    expect(attributes).toMatchObject({ 'http.response.status_code': 404, 'error.type': '404' });
    expect(status.code).toBe(SpanStatusCode.ERROR);
  });

  it('has none where tracing is suppressed', async () => {
    const url = await serve();
    await context.with(suppressTracing(context.active()), () => send(url, '/'));
    await send(url, '/status/201');
    expect((await spans()).map(({ attributes }) => attributes['http.response.status_code'])).toEqual([201]);
    expect(received[0]?.headers.traceparent).toBeUndefined();
  });

  it('has no span and no header once tracing has ended', async () => {
    const url = await serve();
    for (const end of ends) end();
    await send(url, '/');
    expect(received[0]?.headers.traceparent).toBeUndefined();
    expect(tracing.exported()).toEqual([]);
  });
});

describe('a request', () => {
  it('by https has its port and scheme', async () => {
    const url = await serveTls();
    const options = { ...ANONYMOUS, rejectUnauthorized: false, checkServerIdentity: () => undefined };
    await body(https.get(`${url}/a`, options));
    await body(https.request(new URL(`${url}/b`), options).end());
    expect((await spans(2)).map(({ attributes }) => attributes['url.full'])).toEqual([
      `${url}/a`,
      `${url}/b`,
    ]);
    expect(received.map(({ headers }) => typeof headers.traceparent)).toEqual(['string', 'string']);
  });

  it.each([
    ['http.request', (url: string) => body(http.request(url, { method: 'post' }).end('x'))],
    ['fetch', async (url: string) => (await fetch(url, { method: 'POST', body: 'x' })).text()],
  ])('by %s has its method', async (_, send) => {
    await send(await serve());
    const { name, attributes } = await only();
    expect([name, attributes['http.request.method']]).toEqual(['POST', 'POST']);
  });

  it('by a method that is not known has no name of its own', async () => {
    const url = await serve();
    await body(http.request(url, { method: 'PURGE' }).end());
    const { name, attributes } = await only();
    expect(name).toBe('HTTP');
    expect(attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'PURGE',
    });
  });

  it.each([
    ['http.get', async (url: string) => body(http.get(url))],
    ['fetch', (url: string) => fetch(url)],
  ])('by %s that nobody accepts has failed', async (_, send) => {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await expect(send(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    const { attributes, status, events } = await only();
    expect(attributes['error.type']).toBe('ECONNREFUSED');
    expect(status.code).toBe(SpanStatusCode.ERROR);
    expect(events.map(({ name }) => name)).toEqual(['exception']);
  });

  it.each([
    ['http.get', async (url: string) => body(http.get(url))],
    ['fetch', async (url: string) => (await fetch(url)).text()],
  ])('by %s has failed if the server ends it within the response', async (_, send) => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('a part');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(send(url)).rejects.toThrow();
    const { attributes, status } = await only();
    expect(attributes['http.response.status_code']).toBe(200);
    expect(attributes['error.type']).toEqual(expect.any(String));
    expect(status.code).toBe(SpanStatusCode.ERROR);
  });

  it.each([
    ['http.get', async (url: string, signal: AbortSignal) => body(http.get(url, { signal }))],
    ['fetch', async (url: string, signal: AbortSignal) => (await fetch(url, { signal })).text()],
  ])('by %s has not failed if its caller cancels it, other than after a time', async (_, send) => {
    const url = await serve(() => {});
    const controller = new AbortController();
    const cancelled = expect(send(url, controller.signal)).rejects.toThrow();
    setTimeout(() => controller.abort(), 20);
    await cancelled;
    expect((await only()).status.code).toBe(SpanStatusCode.UNSET);
    await expect(send(url, AbortSignal.timeout(20))).rejects.toThrow();
    const [, late] = await spans(2);
    expect(late?.status.code).toBe(SpanStatusCode.ERROR);
  });

  it('ends where the reading of its response ends early', async () => {
    const url = await serve((_request, response) => void response.write('a part'));
    const request = http.get(url);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.destroy();
    expect((await only()).attributes['http.response.status_code']).toBe(200);
  });

  it('lasts until its response has been read', async () => {
    const url = await serve();
    const request = http.get(url);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(tracing.exported()).toEqual([]);
    response.resume();
    await only();
  });

  it('that becomes another protocol ends with that', async () => {
    const url = await serve();
    servers[0]?.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    });
    const request = http.request(url, { headers: { connection: 'Upgrade', upgrade: 'echo' } }).end();
    await once(request, 'upgrade');
    expect((await only()).status.code).toBe(SpanStatusCode.UNSET);
  });

  it('shows neither credentials nor what a proxy is', async () => {
    const url = await serve();
    const { host, port } = new URL(url);
    await body(http.get(`http://user:secret@${host}/a`));
    await body(http.get({ host: '127.0.0.1', port, path: 'http://user:secret@api.test:81/b' }));
    await (await fetch(url, { headers: { authorization: 'secret' } })).text();
    const attributes = (await spans(3)).map((span) => span.attributes);
    expect(JSON.stringify(attributes)).not.toContain('secret');
    expect(attributes[1]).toMatchObject({
      'url.full': 'http://api.test:81/b',
      'server.address': 'api.test',
      'server.port': 81,
    });
  });

  it('may go to a socket of Unix', async () => {
    if (process.platform === 'win32') return;
    const socketPath = await serve(ANSWERS, join(tmpdir(), `outgoing-${process.pid}.sock`));
    await body(http.get({ socketPath, path: '/a' }));
    expect((await only()).attributes).toMatchObject({ 'url.full': 'http://localhost/a', 'server.port': 80 });
  });

  it('says what the called service says of its time', async () => {
    const url = await serve((_request, response) => {
      response.setHeader('server-timing', ['total;dur=12', 'database;dur=10']);
      response.end();
    });
    const tracer = tracing.provider.getTracer('test');
    await tracer.startActiveSpan('around', async (around) => {
      await body(http.get(url));
      await (await fetch(url)).text();
      around.end();
    });
    const calls = (await spans(3)).filter(({ kind }) => kind === SpanKind.CLIENT);
    expect(calls.map((span) => liveSpanOf(span as never)?.remote)).toEqual(
      Array(2).fill({ totalMs: 12, cause: 'database', causeMs: 10 }),
    );
  });

  it('keeps the spans of requests on one connection apart', async () => {
    const url = await serve();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await Promise.all(Array.from({ length: 20 }, (_, at) => body(http.get(`${url}/${at}`, { agent }))));
    agent.destroy();
    const sent = (await spans(20)).map(
      (span) => `${span.attributes['url.full']} ${span.spanContext().spanId}`,
    );
    const got = received.map(
      ({ url: path, headers }) => `${url}${path} ${String(headers.traceparent).split('-')[2]}`,
    );
    expect(sent.sort()).toEqual(got.sort());
  });
});

describe('the caller of a request', () => {
  it('continues in its own span, in all events', async () => {
    const url = await serve();
    const tracer = tracing.provider.getTracer('test');
    const seen: (string | undefined)[] = [];
    const note = (): void => void seen.push(trace.getActiveSpan()?.spanContext().spanId);
    const own = await tracer.startActiveSpan('around', async (around) => {
      const request = http.get(url, (response) => {
        note();
        response.on('data', note).on('end', note);
      });
      request.on('socket', note);
      await once(request, 'close');
      note();
      around.end();
      return around.spanContext().spanId;
    });
    expect(seen).toEqual(Array(5).fill(own));
  });

  it('has as many listeners as without', async () => {
    const url = await serve();
    const request = http.request(url).end();
    expect(request.listenerCount('response')).toBe(0);
    expect(request.listenerCount('error')).toBe(0);
    await once(request, 'close');
  });

  it('gets the same error for an address that is none', () => {
    expect(() => http.request('no address')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_URL' }));
    expect(() => http.get({ path: 'a b' })).toThrow(
      expect.objectContaining({ code: 'ERR_UNESCAPED_CHARACTERS' }),
    );
    expect(tracing.exported()).toEqual([]);
  });

  it('may give headers as a list, which are sent as they are', async () => {
    const url = await serve();
    await body(http.request(url, { headers: ['x-a', '1', 'host', 'a.test'] as never }).end());
    expect(received[0]?.headers).toMatchObject({ 'x-a': '1', host: 'a.test' });
    expect(received[0]?.headers.traceparent).toBeUndefined();
    await only();
  });

  it.each([
    ['URL and options', (url: string, options: http.RequestOptions) => http.request(url, options)],
    [
      'options',
      (url: string, options: http.RequestOptions) => http.request({ port: new URL(url).port, ...options }),
    ],
  ])('may wait for leave to send a body, by %s', async (_, send) => {
    const url = await serve();
    const options = { method: 'POST', headers: { Expect: '100-continue', 'x-a': '1' } };
    const request = send(url, options);
    await once(request, 'continue');
    expect(await body(request.end('x'))).toBe('answer');
    expect(received[0]?.headers).toMatchObject({ expect: '100-continue', 'x-a': '1' });
    const { traceId } = (await only()).spanContext();
    expect(received[0]?.headers.traceparent).toContain(traceId);
    expect(options.headers).toEqual({ Expect: '100-continue', 'x-a': '1' });
  });

  it.each([
    ['http.get', async (url: string, headers: Record<string, string>) => body(http.get(url, { headers }))],
    ['fetch', async (url: string, headers: Record<string, string>) => (await fetch(url, { headers })).text()],
  ])('may pass on the headers of a request that it has got, by %s', async (_, send) => {
    await send(await serve(), { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` });
    const { traceId, spanId } = (await only()).spanContext();
    expect(received[0]?.headers.traceparent).toBe(`00-${traceId}-${spanId}-01`);
  });

  it.each([
    ['http.get', async (url: string) => body(http.get(url))],
    ['fetch', async (url: string) => (await fetch(url)).text()],
  ])('may have a path that looks like a host, by %s', async (_, send) => {
    const url = await serve();
    await send(`${url}//api.test/a`);
    expect((await only()).attributes).toMatchObject({
      'url.full': `${url}//api.test/a`,
      'server.address': '127.0.0.1',
    });
  });

  it('may open a tunnel, which is no request', async () => {
    const url = await serve();
    servers[0]?.on('connect', (_request, socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    const { hostname, port } = new URL(url);
    await once(http.request({ hostname, port, method: 'CONNECT', path: 'api.test:443' }).end(), 'connect');
    expect(tracing.exported()).toEqual([]);
  });

  it('may use a mock without an address of its own', async () => {
    for (const end of ends) end();
    const url = await serve();
    const { request: real } = http;
    // As a library that replaces requests before the application starts.
    http.request = ((...args: Parameters<typeof real>) => {
      const made = real(...args);
      for (const name of ['host', 'protocol', 'path'])
        Object.defineProperty(made, name, { value: undefined, writable: true });
      return made;
    }) as typeof real;
    try {
      ends = [traceHttpClients(tracing.provider.getTracer('test'))];
      await body(http.request(`${url}/a?b=1`).end());
      await body(http.request({ hostname: '127.0.0.1', port: new URL(url).port, path: '/c' }).end());
      const urls = (await spans(2)).map(({ attributes }) => attributes['url.full']);
      expect(urls).toEqual([`${url}/a?b=1`, `${url}/c`]);
      for (const end of ends) end();
    } finally {
      http.request = original;
    }
  });

  it('may use a mock of `get`', async () => {
    for (const end of ends) end();
    const { get } = http;
    let calls = 0;
    http.get = ((...args: Parameters<typeof get>) => {
      calls++;
      return get(...args);
    }) as typeof get;
    try {
      ends = [traceHttpClients(tracing.provider.getTracer('test'))];
      expect(await body(http.get(await serve()))).toBe('answer');
      expect(calls).toBe(1);
      for (const end of ends) end();
    } finally {
      http.get = get;
    }
  });

  it('keeps a mock that stands in front of an application which has ended', async () => {
    const tracer = tracing.provider.getTracer('test');
    const { request } = http;
    let calls = 0;
    // It shows all that the function has.
    http.request = new Proxy(request, {
      apply: (target, that, args) => {
        calls++;
        return Reflect.apply(target, that, args) as unknown;
      },
    });
    try {
      for (const end of ends) end();
      ends = [traceHttpClients(tracer)];
      await body(http.request(await serve()).end());
      expect([calls, (await spans()).length]).toEqual([1, 1]);
      for (const end of ends) end();
    } finally {
      http.request = original;
    }
  });

  it('gets the error of its own options, once', () => {
    let reads = 0;
    const options = {
      get headers(): never {
        reads++;
        throw new Error('no headers');
      },
    };
    expect(() => http.request(options)).toThrow('no headers');
    // Node reads it once more.
    expect(reads).toBe(2);
  });

  it('is not disturbed by a span that cannot be made', async () => {
    for (const end of ends) end();
    const fail = (): never => {
      throw new Error('no span');
    };
    ends = [traceHttpClients({ startSpan: fail } as never), traceFetch({ startSpan: fail } as never)];
    const url = await serve();
    expect(await body(http.get(url))).toBe('answer');
    expect(await (await fetch(url)).text()).toBe('answer');
  });

  it('finds functions of the same name and length, and the originals afterwards', () => {
    const traced = { ...http };
    const { request, get } = http;
    for (const end of ends) end();
    expect(request).not.toBe(http.request);
    expect([request.name, request.length, get.name, get.length]).toEqual([
      http.request.name,
      http.request.length,
      http.get.name,
      http.get.length,
    ]);
    expect(traced.request).toBe(request);
  });

  it('is not measured by an application that was never closed, whose tracing is gone', async () => {
    const url = await serve();
    context.disable();
    await body(http.get(url));
    await (await fetch(url)).text();
    expect(received.map(({ headers }) => headers.traceparent)).toEqual([undefined, undefined]);
    expect(tracing.exported()).toEqual([]);
  });

  it('calls functions that are replaced once, however many applications were never closed', async () => {
    const tracer = tracing.provider.getTracer('test');
    for (let i = 0; i < 5; i++) ends.push(traceHttpClients(tracer));
    await body(http.get(await serve()));
    await only();
    expect(tracing.exported()).toHaveLength(1);
    ends.at(-1)?.();
    expect(http.request).toBe(original);
  });

  it('is not disturbed by another tool that wraps the functions later', async () => {
    const url = await serve();
    const { request } = http;
    let calls = 0;
    http.request = ((...args: Parameters<typeof request>) => {
      calls++;
      return request(...args);
    }) as typeof request;
    const wrapped = http.request;
    try {
      for (const end of ends) end();
      expect(http.request).toBe(wrapped);
      expect(await body(http.request(url).end())).toBe('answer');
      expect([calls, tracing.exported().length]).toEqual([1, 0]);
    } finally {
      http.request = original;
    }
  });
});
