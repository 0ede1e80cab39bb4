import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { TrackPerformance } from '../../lib/nest/decorators/track-performance.decorator.js';
import {
  type PerformanceRecording,
  performanceMatchers,
  recordPerformance,
} from '../../lib/testing/index.js';
import { fetchFromOutside, startApplication, type TestApplication } from '../support/application.js';

expect.extend(performanceMatchers);

let upstream = '';

class Albums {
  @TrackPerformance('database')
  async list(): Promise<string> {
    return 'albums';
  }
}

@Controller()
class ShopController {
  @Get('albums')
  albums(): Promise<string> {
    return new Albums().list();
  }
  @Get('upstream')
  async upstream(): Promise<string> {
    return (await fetch(upstream)).text();
  }
  @Get('ignored')
  ignored(): string {
    return 'ignored';
  }
}

let application: TestApplication | undefined;
let other: Server | undefined;
afterEach(async () => {
  await application?.app.close();
  other?.close();
  other?.closeAllConnections();
  application = undefined;
  other = undefined;
});

async function start(
  platform: 'express' | 'fastify' = 'express',
  before?: (app: INestApplication) => void,
): Promise<TestApplication> {
  application = await startApplication(
    platform,
    { controllers: [ShopController], ...(before === undefined ? {} : { before }) },
    { http: { ignore: ['/ignored'] } },
  );
  return application;
}

/** A server of this process that is no part of the application. */
async function startOther(): Promise<string> {
  other = createServer((_, response) => response.end('other')).listen(0, '127.0.0.1');
  await once(other, 'listening');
  return `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
}

const MATCHERS: Record<string, (recording: PerformanceRecording) => void> = {
  toHaveNoRepeatedQueries: (recording) => expect(recording).toHaveNoRepeatedQueries(),
  'not.toHaveNoRepeatedQueries': (recording) => expect(recording).not.toHaveNoRepeatedQueries(),
  toStayUnderThresholds: (recording) => expect(recording).toStayUnderThresholds(),
  'not.toStayUnderThresholds': (recording) => expect(recording).not.toStayUnderThresholds(),
};

function expectNoVerdict(recording: PerformanceRecording, message: string | RegExp): void {
  for (const matcher of Object.values(MATCHERS)) expect(() => matcher(recording)).toThrow(message);
}

describe('A recording in which a request was made and not measured', () => {
  it('fails for requests that are injected where another tool measures hooks, though their queries were seen', async () => {
    const { app } = await start('fastify', (nest) => {
      const instance = nest.getHttpAdapter().getInstance();
      const { addHook } = instance;
      // As @fastify/otel does.
      instance.addHook = function addHookPatched(...given: unknown[]) {
        return Reflect.apply(addHook, this, given);
      };
    });
    const inject = (app as NestFastifyApplication).inject.bind(app);
    const recording = await recordPerformance(() => inject({ method: 'GET', url: '/albums?page=2' }));
    expect(recording.unserved).toEqual(['GET /albums (injected)']);
    expectNoVerdict(recording, '1 request was made and not measured: GET /albums (injected).');
    expect(recording).toMakeAtMostQueries(1);
    expect(recording).toStayUnderThresholds({ types: ['database'] });
    const allowed = await recordPerformance(() => inject({ method: 'GET', url: '/albums' }), {
      allowUnseen: ['GET /albums (injected)'],
    });
    expect(allowed).toStayUnderThresholds();
  });

  it('fails for a server of this process without the module, beside requests that were measured', async () => {
    const { url } = await start();
    const address = await startOther();
    const recording = await recordPerformance(async () => {
      await fetchFromOutside(`${url}/albums`);
      await fetchFromOutside(`${address}/orders?id=7`);
    });
    expect(recording.requests).toHaveLength(1);
    expectNoVerdict(recording, `GET /orders (${address.slice('http://'.length)})`);
  });

  it('fails if it only holds calls to another process, and names them', async () => {
    await start();
    const address = await startOther();
    const closed = other as Server;
    closed.close();
    closed.closeAllConnections();
    const recording = await recordPerformance(() => fetch(address).catch(() => undefined));
    expectNoVerdict(recording, 'except 1 outgoing call. No server of this process received: GET 127.0.0.1.');
    expect(() => expect(recording).toMakeAtMostQueries(9)).toThrow('No server of this process received');
    expect(() => expect(recording).not.toMakeAtMostQueries(0)).toThrow('No server of this process received');
    expect(recording).toStayUnderThresholds({ types: ['external'] });
  });

  it('fails if only an ignored path was requested', async () => {
    const { url } = await start();
    const recording = await recordPerformance(() => fetchFromOutside(`${url}/ignored`));
    expect(recording.unserved).toBeUndefined();
    expectNoVerdict(recording, 'No request, tracked method or query was recorded.');
  });
});

describe('A recording in which all requests were measured', () => {
  it.each(['express', 'fastify'] as const)('passes on %s', async (platform) => {
    const { url } = await start(platform);
    const recording = await recordPerformance(async () => {
      await fetch(`${url}/albums`);
      await fetchFromOutside(`${url}/albums`);
    });
    expect(recording.unserved).toBeUndefined();
    expect(recording.requests).toHaveLength(2);
    expect(recording).toStayUnderThresholds();
    expect(recording).toHaveNoRepeatedQueries();
  });

  it('passes for injected requests', async () => {
    const { app } = await start('fastify');
    const inject = (app as NestFastifyApplication).inject.bind(app);
    const recording = await recordPerformance(() => inject({ method: 'GET', url: '/albums?page=2' }));
    expect(recording.unserved).toBeUndefined();
    expect(recording.requests).toHaveLength(1);
    expect(recording).toStayUnderThresholds();
    expect(recording).toMakeAtMostQueries(1);
  });

  it('passes if the application calls a mock of another service in this process', async () => {
    const { url } = await start();
    upstream = await startOther();
    const recording = await recordPerformance(() => fetchFromOutside(`${url}/upstream`));
    expect(recording.unserved).toBeUndefined();
    expect(recording.requests).toHaveLength(1);
    expect(recording).toStayUnderThresholds();
  });

  it('passes if a further server of this process is allowed', async () => {
    const { url } = await start();
    const address = await startOther();
    const recording = await recordPerformance(
      async () => {
        await fetchFromOutside(`${url}/albums`);
        await fetchFromOutside(address);
      },
      { allowUnseen: [address.slice('http://'.length)] },
    );
    expect(recording).toStayUnderThresholds();
  });

  it('passes with an ignored path beside a measured one', async () => {
    const { url } = await start();
    const recording = await recordPerformance(async () => {
      await fetchFromOutside(`${url}/ignored`);
      await fetchFromOutside(`${url}/albums`);
    });
    expect(recording).toStayUnderThresholds();
  });

  it('passes for a tracked method that is called directly', async () => {
    await start();
    const recording = await recordPerformance(() => new Albums().list());
    expect(recording).toStayUnderThresholds();
    expect(recording).toMakeAtMostQueries(1);
  });
});
