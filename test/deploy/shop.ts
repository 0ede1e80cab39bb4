import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get } from '@nestjs/common';
import { SpanKind, trace } from '@opentelemetry/api';
import { Redis } from 'ioredis';
import { withPerformanceTracking } from '../../lib/nest/decorators/track-performance.decorator.js';
import { startApplication, type TestApplication } from '../support/application.js';
import { RespServer } from '../support/resp-server.js';

export const TOKEN = 'token-of-the-live-test';
const BLOCK_MS = 160;

/** An application in which everything happens that the dashboards show. */
export interface Shop extends TestApplication {
  /** One request of each kind. */
  visit(): Promise<void>;
  close(): Promise<void>;
}

/** @param crowded with names for more series than it may have */
export async function startShop({ crowded = false } = {}): Promise<Shop> {
  const redisPeer = await RespServer.start();
  const redis = new Redis(redisPeer.port, '127.0.0.1');
  const other = createServer((_, response) => response.end('{}'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const otherUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  let names = 0;

  @Controller()
  class ShopController {
    @Get('albums')
    async albums(): Promise<unknown> {
      select();
      return [await redis.get('albums'), await (await fetch(otherUrl)).text()];
    }

    @Get('slow')
    async slow(): Promise<string> {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return 'at last';
    }

    @Get('blocked')
    blocked(): string {
      const end = performance.now() + BLOCK_MS;
      while (performance.now() < end) JSON.stringify(process.versions);
      return 'free again';
    }

    @Get('fails')
    fails(): never {
      throw new Error('out of stock');
    }

    @Get('crowd')
    crowd(): number {
      for (let n = 0; n < 20; n++) withPerformanceTracking(`customer ${names++}`, () => n);
      return names;
    }
  }

  const application = await startApplication(
    'express',
    { controllers: [ShopController] },
    {
      serviceName: 'shop',
      serviceVersion: '1.2.3',
      httpThresholdMs: 50,
      endpoint: { token: TOKEN },
      alerts: { slos: [{ operation: 'GET /fails', objective: 0.99 }] },
      ...(crowded ? { metrics: { maxSeries: 20 } } : {}),
    },
  );
  return {
    ...application,
    async visit() {
      const paths = ['albums', 'slow', 'blocked', 'fails', ...(crowded ? ['crowd'] : [])];
      for (const path of paths) await (await fetch(`${application.url}/${path}`)).text();
    },
    async close() {
      await application.app.close();
      redis.disconnect();
      await redisPeer.stop();
      await new Promise((resolve) => other.close(resolve));
    },
  };
}

/** A statement as an instrumentation tells of it: a table is what Redis has none of. */
function select(): void {
  const attributes = {
    'db.system.name': 'postgresql',
    'db.operation.name': 'SELECT',
    'db.collection.name': 'albums',
    'db.query.text': 'SELECT * FROM albums',
  };
  trace.getTracer('shop').startSpan('SELECT albums', { kind: SpanKind.CLIENT, attributes }).end();
}
