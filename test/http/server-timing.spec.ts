import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { SpanKind, trace } from '@opentelemetry/api';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { SlowThreshold } from '../../lib/nest/decorators/slow-threshold.decorator.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { parseServerTiming } from '../../lib/spans/server-timing.js';
import {
  fetchFromOutside,
  PLATFORMS,
  type Platform,
  startApplication,
  type TestApplication,
  until,
} from '../support/application.js';
import { sleep } from '../support/tracing.js';

type Raw<T> = T & { raw?: T };

/** A query as instrumentations of databases create it. */
function query(ms: number): Promise<void> {
  const attributes = { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT * FROM quote WHERE id = 1' };
  return trace
    .getTracer('driver')
    .startActiveSpan('pg.query', { kind: SpanKind.CLIENT, attributes }, async (span) => {
      await sleep(ms);
      span.end();
    });
}

@Controller()
class PricingController {
  @Get('quotes')
  async quotes(): Promise<string> {
    await query(120);
    return 'quotes';
  }

  /** Answers long after it has measured its time, as behind a slow network. */
  @Get('late')
  async late(@Res() given: Raw<ServerResponse>): Promise<void> {
    const response = given.raw ?? given;
    await sleep(30);
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('a');
    await sleep(300);
    response.end('b');
  }

  @Get('own')
  own(@Res() given: Raw<ServerResponse>): void {
    const response = given.raw ?? given;
    response.setHeader('Server-Timing', 'mine;dur=1');
    response.end('own');
  }

  @Get('list')
  list(@Res() given: Raw<ServerResponse>): void {
    (given.raw ?? given).writeHead(200, ['x-list', 'a', 'x-list', 'b']).end('list');
  }
}

@Controller()
class CallingController {
  @Get('calls/:path')
  @SlowThreshold(50)
  async calls(@Param('path') path: string, @Req() request: Raw<IncomingMessage>): Promise<string> {
    const { port } = new URL(`http://${(request.raw ?? request).headers.host}`);
    const response = await fetch(`http://127.0.0.1:${port}/${path}`);
    return response.text();
  }
}

let application: TestApplication;
afterEach(() => application.app.close());

async function start(platform: Platform, http: PerformanceOptions['http']): Promise<void> {
  application = await startApplication(
    platform,
    { controllers: [PricingController, CallingController] },
    { http },
  );
}
const headerOf = async (path: string, headers: Record<string, string> = {}): Promise<string | null> => {
  const response = await fetchFromOutside(`${application.url}/${path}`, { headers });
  expect(await response.text()).not.toBe('');
  expect(response.status).toBe(200);
  return response.headers.get('server-timing');
};
async function slowCall(path: string): Promise<SlowOperation> {
  const seen: SlowOperation[] = [];
  application.monitor.slowOperations$.subscribe((operation) => seen.push(operation));
  expect(await headerOf(`calls/${path}`)).not.toBeNull();
  await until(() => seen.some(({ type }) => type === 'http'));
  return seen.find(({ type }) => type === 'http') as SlowOperation;
}

describe.each(PLATFORMS)('http.serverTiming on %s', (platform) => {
  it('is off by default', async () => {
    await start(platform, undefined);
    expect(await headerOf('quotes')).toBeNull();
  });

  it('tells an internal caller where the time went, and nobody behind a proxy', async () => {
    await start(platform, { serverTiming: 'internal' });
    const header = (await headerOf('quotes')) ?? '';
    const timing = parseServerTiming(header);
    expect(timing).toMatchObject({ cause: 'database', operation: 'SELECT quote' });
    expect(timing?.causeMs).toBeGreaterThan(90);
    expect(timing?.totalMs).toBeGreaterThanOrEqual(timing?.causeMs as number);
    expect(await headerOf('quotes', { 'x-forwarded-for': '10.0.0.1' })).toBeNull();
  });

  it('tells all callers where the application wants it', async () => {
    await start(platform, { serverTiming: 'all' });
    expect(await headerOf('quotes', { 'x-forwarded-for': '203.0.113.7' })).toMatch(/^total;dur=/);
  });

  it('keeps the header of the application, and every form of headers', async () => {
    await start(platform, { serverTiming: 'all' });
    expect(await headerOf('own')).toMatch(/^mine;dur=1, total;dur=/);
    const listOf = async (): Promise<string | null> =>
      (await fetchFromOutside(`${application.url}/list`)).headers.get('x-list');
    const list = await listOf();
    await application.app.close();
    await start(platform, {});
    expect(list).toBe(await listOf());
  });

  it('lets a slow call be explained by the called service', async () => {
    await start(platform, { serverTiming: 'internal' });
    const { causes, explanation } = await slowCall('quotes');
    expect(causes[0]).toMatchObject({
      cause: 'external',
      remote: { cause: 'database', operation: 'SELECT quote' },
    });
    expect(explanation).toMatch(
      /GET 127\.0\.0\.1:\d+\/quotes\).*; of its \d+ ms the service spent \d+ ms on the database \(SELECT quote\)/,
    );
  });

  it('says so where the called service was not slow by its own measure', async () => {
    await start(platform, { serverTiming: 'internal' });
    const { explanation } = await slowCall('late');
    expect(explanation).toMatch(/the service itself measured \d+ ms of \d+ ms, the rest is the network/);
  });
});

it('rejects another value', async () => {
  await expect(start('express', { serverTiming: true as never })).rejects.toThrow(
    /http\.serverTiming.*received true.*off, internal/,
  );
  await start('express', {});
});
