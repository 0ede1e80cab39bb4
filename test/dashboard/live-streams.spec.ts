import {
  createServer,
  get,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { LiveStreams, type StreamLimits } from '../../lib/dashboard/live-streams.js';
import { until } from '../support/application.js';

describe('live streams', () => {
  let server: Server | undefined;
  let streams: LiveStreams | undefined;
  const sockets: { destroy(): void }[] = [];
  const responses: ServerResponse[] = [];
  let made = 0;
  let port = 0;
  afterEach(async () => {
    streams?.close();
    for (const socket of sockets.splice(0)) socket.destroy();
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });

  const serve = async (
    limits: Partial<StreamLimits> = {},
    data = (): string => `{"made":${++made}}`,
  ): Promise<LiveStreams> => {
    made = responses.length = 0;
    const opened = new LiveStreams('overview', data, { maxStreams: 3, intervalMs: 10, ...limits });
    streams = opened;
    server = createServer((_request, response) => {
      responses.push(response);
      if (opened.hasRoom) opened.open(response);
      else response.writeHead(503).end();
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
    return opened;
  };
  const connectClient = async (): Promise<{ answer: IncomingMessage; text: () => string }> => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = get({ port, host: '127.0.0.1', agent: false }, resolve).once('error', reject);
      sockets.push(asked);
    });
    let text = '';
    answer.on('data', (chunk) => {
      text += chunk;
    });
    answer.on('error', () => {});
    return { answer, text: () => text };
  };
  /** A client that sends its request and reads nothing. */
  const connectStalledClient = (): void => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  };

  it('answers HEAD at once without occupying a stream', async () => {
    const opened = await serve({ maxStreams: 1 });
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { port, host: '127.0.0.1', agent: false, method: 'HEAD' };
      request(options, resolve).once('error', reject).end();
    });
    answer.resume();
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    expect(opened.size).toBe(0);
  });

  it('releases a response that cannot be written to', async () => {
    const opened = await serve();
    await connectClient();
    const [response] = responses;
    Object.assign(response as ServerResponse, {
      write: () => {
        throw new Error('no body is allowed');
      },
    });
    await until(() => opened.size === 0);
  });

  it('sends a message at once and then periodically', async () => {
    await serve();
    const { answer, text } = await connectClient();
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    await until(() => text().includes('{"made":4}'));
    expect(text()).toMatch(
      /^retry: 2000\n\nevent: overview\ndata: \{"made":1\}\n\nevent: overview\ndata: \{"made":2\}\n\n/,
    );
  });

  it('builds a message once for all clients, and none without clients', async () => {
    const opened = await serve();
    const all = [await connectClient(), await connectClient(), await connectClient()];
    await until(() => all.every(({ text }) => text().includes(`{"made":6}`)));
    expect(all.every(({ text }) => text().split('{"made":6}').length === 2)).toBe(true);
    for (const socket of sockets) socket.destroy();
    await until(() => opened.size === 0);
    const then = made;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(made).toBe(then);
  });

  it('refuses streams above the limit until one is closed', async () => {
    const opened = await serve();
    const statuses = await Promise.all([connectClient(), connectClient(), connectClient()]);
    expect(statuses.map(({ answer }) => answer.statusCode)).toEqual([200, 200, 200]);
    expect((await connectClient()).answer.statusCode).toBe(503);
    sockets[0]?.destroy();
    await until(() => opened.size === 2);
    expect((await connectClient()).answer.statusCode).toBe(200);
  });

  it('queues nothing for a stalled client, and disconnects it', async () => {
    const big = JSON.stringify('x'.repeat(4_000_000));
    const opened = await serve({ stalledMs: 300 }, () => {
      made++;
      return big;
    });
    connectStalledClient();
    await until(() => opened.size === 1);
    const response = (): number => responses[0]?.writableLength ?? 0;
    await until(() => made > 5);
    expect(response()).toBeLessThanOrEqual(big.length + 1000);
    await until(() => opened.size === 0);
    expect(responses[0]?.destroyed).toBe(true);
  });

  it('ends a stream after its lifetime, so that the client is authorized again', async () => {
    const opened = await serve({ lifetimeMs: 50 });
    const { answer } = await connectClient();
    await until(() => answer.complete);
    expect(opened.size).toBe(0);
  });

  it('stays open if a message cannot be built', async () => {
    await serve({}, () => {
      throw new Error('with a secret in it');
    });
    const { text } = await connectClient();
    await until(() => text().split(': no data').length > 2);
    expect(text()).not.toContain('secret');
  });

  it('ends all streams when closed, and refuses new ones', async () => {
    const opened = await serve();
    const both = [await connectClient(), await connectClient()];
    opened.close();
    await until(() => both.every(({ answer }) => answer.complete));
    expect(opened.size).toBe(0);
    expect((await connectClient()).answer.statusCode).toBe(503);
  });

  it('does not wait for a stalled client when closed', async () => {
    const opened = await serve({}, () => JSON.stringify('x'.repeat(4_000_000)));
    connectStalledClient();
    await until(() => opened.size === 1);
    opened.close();
    await until(() => responses[0]?.closed === true);
  });
});
