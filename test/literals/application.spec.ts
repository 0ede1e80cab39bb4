import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Headers, Param, Post, Query } from '@nestjs/common';
import { type Attributes, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import Redis from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { TrackPerformance } from '../../lib/nest/decorators/track-performance.decorator.js';
import { fetchFromOutside, startApplication, type TestApplication } from '../support/application.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { LEAK, PLANTED, SECRET } from './planted-statements.js';

const HOST = '127.0.0.1';
const S = `${SECRET}app`;

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A span as instrumentations create it, with everything that they may record. */
async function traced(name: string, attributes: Attributes, work: () => Promise<unknown>): Promise<void> {
  const span = trace.getTracer('driver').startSpan(name, { kind: SpanKind.CLIENT, attributes });
  try {
    await work();
  } catch (error) {
    span.recordException(error as Error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
  } finally {
    span.end();
  }
}

let other = '';

@Controller('planted')
class PlantedController {
  @Post('orders')
  async order(
    @Body() body: { email: string },
    @Headers('x-token') token: string,
    @Query('q') query: string,
  ): Promise<string> {
    await this.charge(`${body.email} ${token} ${query}`).catch(() => {});
    await fetch(`${other}/pay?token=${S}#${S}`, { method: 'POST', body: S, headers: { 'x-token': S } });
    await fetch(`http://${HOST}:1/?token=${S}`).catch(() => {});
    return 'ok';
  }

  @TrackPerformance('calculation', 0)
  async charge(what: string): Promise<void> {
    throw new Error(`The card of ${what} was declined`);
  }

  @Get('broken/:id')
  broken(@Param('id') id: string): never {
    throw new Error(`${S} is broken: ${id}`);
  }

  @Get('statements')
  async statements(): Promise<string> {
    for (const { system, text } of PLANTED)
      await traced(text, { 'db.system.name': system, 'db.query.text': text }, async () => {});
    const document = `query { user(email: "${S}") { id } }`;
    await traced(document, { 'graphql.source': document, 'graphql.variables.a': S }, async () => {});
    return 'ok';
  }

  @Get('postgres')
  async postgres(): Promise<string> {
    const client = new Client({ host: HOST, user: 'postgres', database: 'postgres' });
    await client.connect();
    try {
      await client.query('CREATE TEMP TABLE planted (id int, email text UNIQUE)');
      for (const text of [
        `INSERT INTO planted VALUES (1, '${S}')`,
        `INSERT INTO planted VALUES (2, '${S}')`,
        `SELECT '${S}'::int`,
        `SELECT * FROM planted WHERE email = "${S}"`,
        `SELECT * FROM planted WHERE email = E'it\\'s ${S}' AND email <> 'C:\\'`,
        `SELECT * FROM planted WHERE email = '${S}' AND`,
      ])
        await traced(text, { 'db.system.name': 'postgresql', 'db.query.text': text }, () =>
          client.query(text),
        );
    } finally {
      await client.end();
    }
    return 'ok';
  }

  @Get('mysql')
  async mysql(): Promise<string> {
    const connection = await createConnection({ host: HOST, user: 'root' });
    try {
      for (const text of [
        `SELECT "${S}"`,
        `SELECT 'it\\'s ${S}' # it's ${S}`,
        `SET @a = "${S}"`,
        `SELECT * FROM information_schema.tables WHERE table_name = "${S}" AND nothing = 1`,
        `SELECT "${S}" FROM`,
      ])
        await connection.query(text).catch(() => {});
    } finally {
      await connection.end();
    }
    return 'ok';
  }

  @Get('redis')
  async redis(): Promise<string> {
    const redis = new Redis(6379, HOST, { maxRetriesPerRequest: 0 });
    try {
      await redis.set(`planted:${S}`, S, 'EX', 5);
      await redis.get(`planted:${S}`);
      await redis.call('AUTH', S).catch(() => {});
      await redis.call('HELLO', '3', 'AUTH', S, S).catch(() => {});
      await redis.call('NOSUCH', S, S).catch(() => {});
      await redis.incr(`planted:${S}`).catch(() => {});
    } finally {
      redis.disconnect();
    }
    return 'ok';
  }
}

/** Without fractions and times, which may have the digits of a secret by chance: texts and whole numbers remain. */
function withoutMeasured(where: string, text: string): string {
  // In the format of Prometheus, values stand at the ends of lines.
  if (where === '/metrics') return text.replace(/ [\d.e+-]+$/gm, ' 0');
  const isMeasured = (value: unknown): boolean =>
    typeof value === 'number' && (!Number.isInteger(value) || value > 1e10);
  try {
    return JSON.stringify(JSON.parse(text), (_key, value: unknown) => (isMeasured(value) ? 0 : value));
  } catch {
    return text;
  }
}

describe('secrets in an application', () => {
  const server = createServer((_request, response) => response.end());
  const directory = mkdtempSync(join(tmpdir(), 'planted-'));
  let receiver: OtlpReceiver;
  let application: TestApplication;
  beforeAll(async () => {
    receiver = await OtlpReceiver.start();
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
    other = `http://${HOST}:${(server.address() as AddressInfo).port}`;
    application = await startApplication(
      'express',
      { controllers: [PlantedController] },
      {
        serviceName: 'planted',
        httpThresholdMs: 0,
        databaseThresholdMs: 0,
        cacheThresholdMs: 0,
        externalThresholdMs: 0,
        baseline: { directory },
        tracing: { endpoint: receiver.endpoint, sampling: { ratio: 1 } },
      },
    );
  });
  afterAll(async () => {
    await application.app.close().catch(() => {});
    receiver.stop();
    server.close();
    rmSync(directory, { recursive: true });
  });

  const request = async (path: string, init: RequestInit = {}): Promise<number> => {
    const headers = {
      'x-token': S,
      authorization: `Bearer ${S}`,
      cookie: `session=${S}`,
      'user-agent': S,
      baggage: `user=${S}`,
      'content-type': 'application/json',
    };
    const response = await fetchFromOutside(`${application.url}/planted/${path}`, { ...init, headers });
    await response.text();
    return response.status;
  };
  const body = JSON.stringify({ email: S });

  it('reach it in bodies, headers, queries, errors and statements', async () => {
    expect(await request(`orders?q=${S}`, { method: 'POST', body })).toBe(201);
    expect(await request(`orders?q=${S}`, { method: 'POST', body: `{"email": ${S}` })).toBe(400);
    expect(await request(`broken/1?q=${S}`)).toBe(500);
    expect(await request('statements')).toBe(200);
  });

  it.each([
    ['postgres', 5432],
    ['mysql', 3306],
    ['redis', 6379],
  ])('reach it in commands and errors of %s', async (path, port) => {
    if (!(await listens(port))) {
      process.stdout.write(`Skipped: nothing listens at port ${port}\n`);
      return;
    }
    expect(await request(path)).toBe(200);
  });

  it('are in nothing that it keeps, shows, logs, writes or exports', async () => {
    const { app, url, monitor, logged } = application;
    const shown: Record<string, string> = {};
    for (const path of [
      '',
      '/stats',
      '/slow',
      '/overview',
      '/findings',
      '/metrics',
      '/queries',
      '/baseline',
      '/report.json',
      '/report.md',
      '/report.html',
    ]) {
      const response = await fetchFromOutside(`${url}/performance${path}`);
      expect([path, response.status]).toEqual([path, 200]);
      shown[path] = await response.text();
    }
    shown['kept'] = JSON.stringify([
      monitor.getStats({ operations: 1000 }),
      monitor.getSlowOperations(),
      monitor.getFindings(),
      monitor.getReport(),
    ]);
    await app.close();
    // The application logs its own errors: those are its lines.
    shown['log'] = logged
      .filter(({ message }) => !message.includes('is broken'))
      .map(({ message }) => message)
      .join('\n');
    shown['exported'] = JSON.stringify(receiver.spans);
    shown['metrics'] = JSON.stringify(receiver.metricRequests);
    for (const [where, text] of Object.entries(shown))
      expect([
        where,
        withoutMeasured(where, text).match(new RegExp(`.{60}(?:${LEAK.source}).{20}`, 'i'))?.[0],
      ]).toEqual([where, undefined]);
    expect(receiver.spans.length).toBeGreaterThan(PLANTED.length);
    expect(shown['exported']).toContain('duplicate key value violates unique constraint');
    expect(shown['kept']).toContain('select * from users where email = ?');
  });
});
