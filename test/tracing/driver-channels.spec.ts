import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { Redis } from 'ioredis';
import mysql from 'mysql2';
import { createClient } from 'redis';
import { CHANNEL_DRIVERS, subscribeChannelDrivers } from '../../lib/tracing/driver-channels.js';
import { until } from '../support/application.js';
import { LASTING } from '../support/lasting-channels.js';
import { startMysqlServer } from '../support/mysql-server.js';
import { RespServer } from '../support/resp-server.js';
import { startTracing, type TestTracing } from '../support/tracing.js';

const SECRET = 'zqx-secret';

/** The operations of any Redis client that the tests use. */
interface Client {
  set(key: string, value: string): Promise<unknown>;
  get(key: string): Promise<unknown>;
  many(keys: string[]): Promise<unknown>;
  close(): Promise<unknown>;
}

const CLIENTS: Record<string, (url: string) => Promise<Client>> = {
  async ioredis(url) {
    const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 });
    await redis.connect();
    return {
      set: (key, value) => redis.set(key, value),
      get: (key) => redis.get(key),
      many: (keys) => {
        const pipeline = redis.pipeline();
        for (const key of keys) pipeline.get(key);
        return pipeline.exec();
      },
      close: () => redis.quit(),
    };
  },
  async redis(url) {
    const redis = createClient({ url });
    await redis.connect();
    return {
      set: (key, value) => redis.set(key, value),
      get: (key) => redis.get(key),
      many: (keys) => Promise.all(keys.map((key) => redis.get(key))),
      close: () => redis.close(),
    };
  },
};

let tracing: TestTracing;
let skipped: string[];
let unsubscribe: () => void;
beforeEach(() => {
  tracing = startTracing({ cacheThresholdMs: 15 });
  skipped = [];
  unsubscribe = subscribeChannelDrivers(() => tracing.provider.getTracer('test'), {
    skip: (driver) => skipped.includes(driver),
  });
});
afterEach(async () => {
  unsubscribe();
  await tracing.shutdown();
});

function spans(name: string): ReadableSpan[] {
  return tracing.exported().filter((span) => span.name === name);
}

const servers: [string, () => Promise<{ url: string; stop(): Promise<void> }>][] = [
  [
    'a peer of the protocol',
    async () => {
      const peer = await RespServer.start();
      return { url: `redis://127.0.0.1:${peer.port}`, stop: () => peer.stop() };
    },
  ],
];
const real = process.env['REDIS_URL'];
if (real !== undefined && real !== '')
  servers.push(['a real server', async () => ({ url: real, stop: async () => {} })]);

describe.each(servers)('on %s', (_server, startServer) => {
  describe.each(Object.entries(CLIENTS))('%s', (_client, connect) => {
    let server: { url: string; stop(): Promise<void> };
    let client: Client;
    beforeEach(async () => {
      server = await startServer();
      client = await connect(server.url);
    });
    afterEach(async () => {
      await client.close();
      await server.stop();
    });

    it('creates one span for each command, without keys and values', async () => {
      await client.set(`${SECRET}:key`, SECRET);
      expect(await client.get(`${SECRET}:key`)).toBe(SECRET);
      expect(spans('SET')).toHaveLength(1);
      expect(spans('GET')).toHaveLength(1);
      expect(spans('GET')[0]).toMatchObject({
        kind: SpanKind.CLIENT,
        attributes: {
          'db.system.name': 'redis',
          'db.operation.name': 'GET',
          'server.address': '127.0.0.1',
          'server.port': Number(new URL(server.url).port),
        },
      });
      expect(
        JSON.stringify(tracing.exported().map(({ name, attributes, events }) => [name, attributes, events])),
      ).not.toContain(SECRET);
      expect(tracing.monitor.getStats().operations).toContainEqual(
        expect.objectContaining({ type: 'cache', name: 'GET', count: 1 }),
      );
    });

    it('creates one span for each command of a pipeline', async () => {
      await client.many(['a', 'b', 'c']);
      await until(() => spans('GET').length === 3);
    });

    it('creates a child of the active span', async () => {
      const outer = tracing.provider.getTracer('test').startSpan('outer');
      await trace.getTracer('test').startActiveSpan('outer', async (active) => {
        await client.get('a');
        active.end();
      });
      outer.end();
      const parent = tracing.exported().find(({ name }) => name === 'outer');
      expect(spans('GET')[0]?.parentSpanContext?.spanId).toBe(parent?.spanContext().spanId);
    });

    it('creates no span for a skipped driver, nor after unsubscribing', async () => {
      skipped = CHANNEL_DRIVERS.map(({ driver }) => driver);
      await client.get('a');
      skipped = [];
      unsubscribe();
      await client.get('a');
      expect(spans('GET')).toEqual([]);
    });
  });
});

describe('a failed command', () => {
  it.each(Object.entries(CLIENTS))(
    'of %s marks its span, and rejects as it would',
    async (_client, connect) => {
      const peer = await RespServer.start();
      const client = await connect(`redis://127.0.0.1:${peer.port}`);
      await expect(client.get('list')).rejects.toThrow(/WRONGTYPE/);
      expect(spans('GET')).toHaveLength(1);
      expect(spans('GET')[0]?.status.code).toBe(SpanStatusCode.ERROR);
      expect(spans('GET')[0]?.attributes['error.type']).toEqual(expect.any(String));
      await client.close();
      await peer.stop();
    },
  );
});

describe('a slow command', () => {
  it('is kept with its evidence', async () => {
    const peer = await RespServer.start({ delayMs: 25 });
    const client = await CLIENTS['ioredis']?.(`redis://127.0.0.1:${peer.port}`);
    await client?.get('a');
    expect(tracing.monitor.getSlowOperations()).toContainEqual(
      expect.objectContaining({ type: 'cache', name: 'GET', thresholdMs: 15 }),
    );
    await client?.close();
    await peer.stop();
  });
});

describe('mysql2 on a server of its protocol', () => {
  it('creates one span for each query, without literals, and marks a failed one', async () => {
    const { port, stop } = await startMysqlServer((statement, peer) => {
      if (statement.includes('missing')) peer.writeError({ code: 1146, message: 'no such table' });
      else peer.writeOk({ affectedRows: 1 });
    });
    const client = mysql
      .createConnection({ host: '127.0.0.1', port, user: 'store', database: 'store' })
      .promise();
    await client.query(`UPDATE album SET price = 5 WHERE title = '${SECRET}'`);
    await expect(client.query('SELECT * FROM missing')).rejects.toThrow('no such table');
    const [update, failed] = spans('mysql2.query');
    expect(spans('mysql2.query')).toHaveLength(2);
    expect(update?.attributes).toMatchObject({
      'db.system.name': 'mysql',
      'db.namespace': 'store',
      'db.query.text': 'update album set price = ? where title = ?',
    });
    expect(failed?.status.code).toBe(SpanStatusCode.ERROR);
    expect(failed?.attributes['error.type']).toBe('ER_NO_SUCH_TABLE');
    expect(tracing.monitor.getStats().operations).toContainEqual(
      expect.objectContaining({ type: 'database', name: 'UPDATE album', count: 1, errorCount: 0 }),
    );
    client.destroy();
    await stop();
  });
});

it('hears drivers in each test file of a process, as their channels last', () => {
  expect(CHANNEL_DRIVERS.flatMap(({ channels }) => channels)).toEqual(LASTING);
});
