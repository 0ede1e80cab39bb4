import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Param, Post, Req, Res } from '@nestjs/common';
import { context } from '@opentelemetry/api';
import { UNTRACED } from '../../lib/async/untraced.js';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { withPerformanceTracking } from '../../lib/nest/decorators/track-performance.decorator.js';
import {
  fetchFromOutside,
  PLATFORMS,
  type Platform,
  startApplication,
  type TestApplication,
  until,
} from '../support/application.js';

const THRESHOLD = 150;
const LONG = 400;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** More than the buffers of the kernel on both sides hold. */
const LARGE = 'x'.repeat(12 * 1024 * 1024);

type Raw<T> = T & { raw?: T };

@Controller()
class UploadController {
  static reached = (): void => {};

  @Post('upload/:ms')
  async upload(@Param('ms') ms: string, @Body() body: unknown): Promise<string> {
    await sleep(Number(ms));
    return typeof body;
  }

  @Get('large/:ms')
  async large(@Param('ms') ms: string): Promise<string> {
    await sleep(Number(ms));
    return LARGE;
  }

  /** Reads a body that has long arrived, when it wants to. */
  @Post('late')
  async late(@Req() given: Raw<IncomingMessage>): Promise<string> {
    await sleep(LONG);
    (given.raw ?? given).resume();
    return 'late';
  }

  @Get('poll')
  async poll(): Promise<string> {
    await sleep(LONG);
    return 'nothing';
  }

  /** Ends its response in the moment in which its client has gone. */
  @Get('gone')
  gone(@Res() given: Raw<ServerResponse>): void {
    const response = given.raw ?? given;
    response.once('close', () => response.end());
    const step = async (): Promise<never> => {
      await once(response, 'close');
      await sleep(10);
      throw new Error('nobody waits for it');
    };
    withPerformanceTracking('step', step).catch(() => {});
    UploadController.reached();
  }

  @Get('subscription/:how')
  async subscription(@Param('how') how: string, @Res() given: Raw<ServerResponse>): Promise<void> {
    const response = given.raw ?? given;
    const spec = how === 'stream' ? 'boundary="graphql"; subscriptionSpec="1.0"' : 'boundary="parts"';
    response.setHeader('content-type', `multipart/mixed; ${spec}`);
    response.write('\r\n');
    await sleep(LONG);
    response.end();
  }
}

let application: TestApplication;
let sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  await application.app.close();
});

async function start(platform: Platform, httpThresholdMs = THRESHOLD): Promise<void> {
  application = await startApplication(
    platform,
    { controllers: [UploadController] },
    { httpThresholdMs, baseline: { enabled: false } },
  );
}

/** Sends a request in two parts, and waits for the end of the response. */
async function sendSlowly(path: string, pauseMs: number): Promise<void> {
  const body = JSON.stringify({ name: 'x'.repeat(100) });
  const { hostname, port } = new URL(application.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  const head = `POST ${path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  socket.write(head + body.slice(0, 20));
  await sleep(pauseMs);
  socket.write(body.slice(20));
  await new Promise((resolve) => socket.once('close', resolve).resume());
}

/** Gets a response and reads nothing of it for a while. */
function readSlowly(path: string, pauseMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = context.with(UNTRACED, () => request(application.url + path));
    sent.once('error', reject).once('response', (response) => {
      setTimeout(() => response.once('end', resolve).resume(), pauseMs);
    });
    sent.end();
  });
}

/** Sends two requests at once on one connection, and reads nothing of the responses for a while. */
async function readSecondSlowly(paths: readonly [string, string], pauseMs: number): Promise<void> {
  const { hostname, port } = new URL(application.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`).join(''));
  await sleep(pauseMs);
  socket.resume();
}

/** The operation of a route when it has been counted. */
async function counted(name: string): Promise<{ slowCount: number; slow: SlowOperation | undefined }> {
  await until(() => (application.operation(name)?.count ?? 0) > 0);
  const slow = application.monitor.getSlowOperations().find((one) => one.name === name);
  return { slowCount: application.operation(name)?.slowCount ?? 0, slow };
}

describe.each(PLATFORMS)('On %s, a request', (platform) => {
  it('that waits for the upload of its body is not slow', async () => {
    await start(platform);
    // The first request compiles what it runs.
    await sendSlowly('/upload/0', 0);
    await counted('POST /upload/:ms');
    application.monitor.resetStats();
    await sendSlowly('/upload/0', LONG);
    expect(await counted('POST /upload/:ms')).toEqual({ slowCount: 0, slow: undefined });
  });

  it('that is slow beside the upload of its body tells both', async () => {
    await start(platform);
    await sendSlowly('/upload/300', 2 * LONG);
    const { slow } = await counted('POST /upload/:ms');
    expect(slow?.http?.uploadMs).toBeGreaterThan(1.5 * LONG);
    expect(slow?.explanation).toContain("waiting for the client's upload");
  });

  it('whose client reads the response slowly is not slow', async () => {
    // To write and read so much takes its time as well.
    await start(platform, 2 * LONG);
    await readSlowly('/large/0', 3 * LONG);
    expect((await counted('GET /large/:ms')).slowCount).toBe(0);
  });

  it('that is slow beside a client that reads slowly tells both', async () => {
    await start(platform);
    await readSlowly('/large/300', 2 * LONG);
    const { slow } = await counted('GET /large/:ms');
    expect(slow?.http?.downloadMs).toBeGreaterThan(LONG);
    expect(slow?.explanation).toContain('the client read the response slowly');
  });

  it('that waits for the connection of another one tells how slowly its client reads', async () => {
    await start(platform);
    await readSecondSlowly(['/poll', '/large/0'], 3 * LONG);
    const { slow } = await counted('GET /large/:ms');
    expect(slow?.http?.downloadMs).toBeGreaterThan(LONG);
  });

  it('whose client has gone is aborted, although it is answered then, and what fails after it was expected to', async () => {
    await start(platform);
    const gone = connect(Number(new URL(application.url).port), new URL(application.url).hostname);
    sockets.push(gone);
    UploadController.reached = () => setTimeout(() => gone.destroy(), LONG);
    gone.write('GET /gone HTTP/1.1\r\nHost: shop\r\n\r\n');
    expect((await counted('GET /gone')).slow?.http?.aborted).toBe(true);
    await until(() => application.operation('step')?.count === 1);
    expect(application.operation('step')).toMatchObject({ errorCount: 1, expectedErrorCount: 1 });
  });

  it('with a body is slow by what its handler waits for', async () => {
    await start(platform);
    await sendSlowly(`/upload/${LONG}`, 0);
    const { slow } = await counted('POST /upload/:ms');
    expect(slow?.http?.uploadMs ?? 0).toBeLessThan(THRESHOLD);
    expect(slow?.explanation).not.toContain('client');
  });

  it('whose handler reads its body late is slow', async () => {
    await start(platform);
    const response = await fetchFromOutside(`${application.url}/late`, { method: 'POST', body: 'name' });
    await response.text();
    expect((await counted('POST /late')).slowCount).toBe(1);
  });

  it('of Socket.IO that polls is not slow, and another one is', async () => {
    await start(platform);
    await (await fetchFromOutside(`${application.url}/poll?EIO=4&transport=polling&t=1`)).text();
    expect((await counted('GET /poll')).slowCount).toBe(0);
    await (await fetchFromOutside(`${application.url}/poll?page=4`)).text();
    await until(() => application.operation('GET /poll')?.slowCount === 1);
  });

  it('of a GraphQL subscription by multipart is not slow, and another multipart response is', async () => {
    await start(platform);
    await (await fetchFromOutside(`${application.url}/subscription/stream`)).text();
    expect((await counted('GET /subscription/:how')).slowCount).toBe(0);
    await (await fetchFromOutside(`${application.url}/subscription/parts`)).text();
    await until(() => application.operation('GET /subscription/:how')?.slowCount === 1);
  });
});
