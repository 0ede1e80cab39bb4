import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Deadline } from '../../lib/async/deadline.js';
import { FaultProcess } from './process.js';

/** `close()` and signals have to end a process within this time. */
const MAX_MS = 3000;
const PEERS = ['traces', 'metrics', 'webhook', 'alertmanager', 'pyroscope', 'store', 'all'];

/** A server that accepts everything and never answers. */
class HangingServer {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((socket) => {
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.resume();
  });

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  get connections(): number {
    return this.sockets.size;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

/** A collector that speaks gRPC, receives exports, and never answers them. */
async function hangingCollector(): Promise<{ url: string; requests(): number; close(): void }> {
  const server = new grpc.Server();
  let requests = 0;
  const unanswered = (): void => {
    requests++;
  };
  const bytes = (given: Buffer): Buffer => given;
  for (const [path, name] of [
    ['trace', 'TraceService'],
    ['metrics', 'MetricsService'],
  ] as const) {
    const definition = {
      path: `/opentelemetry.proto.collector.${path}.v1.${name}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    };
    server.addService({ Export: definition }, { Export: unanswered });
  }
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { url: `http://127.0.0.1:${port}`, requests: () => requests, close: () => server.forceShutdown() };
}

describe('an application whose peers accept everything and never answer', () => {
  const server = new HangingServer();
  let url: string;
  beforeAll(async () => {
    url = await server.listen();
  });
  afterAll(() => server.close());

  it.each(PEERS)('ends within three seconds, by close() and by a signal (%s)', async (peer) => {
    const before = server.connections;
    const env = { HANGING: url };
    const closing = new FaultProcess('hanging-shutdown.mjs', [peer, 'close'], { env });
    const signalled = new FaultProcess('hanging-shutdown.mjs', [peer, 'signal'], { env });
    await signalled.message('ready');
    signalled.kill('SIGTERM');
    const [closed, killed] = await Promise.all([closing.ended, signalled.ended]);
    await Promise.all([closing.remove(), signalled.remove()]);
    expect(closed).toMatchObject({ code: 0, signal: null });
    expect(killed.signal).toBe('SIGTERM');
    expect(closed.ms).toBeLessThan(MAX_MS);
    expect(killed.ms).toBeLessThan(MAX_MS);
    // The application's own hooks run, and the code after `close()`.
    expect(closed.messages).toEqual(expect.arrayContaining([{ hook: true }, { closed: true }]));
    expect(killed.messages).toContainEqual({ hook: true });
    if (peer !== 'store') expect(server.connections).toBeGreaterThan(before);
  });

  it.each(['traces', 'metrics'])('ends its unanswered calls to a collector of gRPC (%s)', async (peer) => {
    const collector = await hangingCollector();
    const process = new FaultProcess('hanging-shutdown.mjs', [peer, 'close'], {
      env: { HANGING: collector.url },
    });
    const { code, ms } = await process.ended;
    await process.remove();
    collector.close();
    expect(collector.requests()).toBeGreaterThan(0);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(MAX_MS);
  });

  it('ends its unanswered requests to a collector over HTTP', async () => {
    const before = server.connections;
    const process = new FaultProcess('hanging-shutdown.mjs', ['traces', 'close'], {
      env: { HANGING: url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' },
    });
    const { code, ms } = await process.ended;
    await process.remove();
    expect(server.connections).toBeGreaterThan(before);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(MAX_MS);
  });

  it('leaves nothing behind for an application that starts meanwhile', async () => {
    const process = new FaultProcess('restart-during-close.mjs', [], { env: { HANGING: url } });
    const { code, messages } = await process.ended;
    await process.remove();
    expect(code).toBe(0);
    // Calls are counted by the tracer provider that the second application has set up.
    expect(messages).toEqual([{ requests: 2, calls: 2 }]);
  });

  it('closes at once if nothing has to be sent', async () => {
    const process = new FaultProcess('hanging-shutdown.mjs', ['none', 'close'], { env: { HANGING: url } });
    const { code, ms } = await process.ended;
    await process.remove();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(1000);
  });
});

describe('a deadline', () => {
  it('waits for what settles in time, however it settles', async () => {
    const deadline = new Deadline(5000);
    expect(await deadline.settle(Promise.resolve(1))).toBe(true);
    expect(await deadline.settle(Promise.reject(new Error('failed')))).toBe(true);
    expect(deadline.remainingMs).toBeGreaterThan(4000);
  });

  it('is shared by what waits one after the other', async () => {
    const deadline = new Deadline(40);
    const never = new Promise(() => {});
    const startedAt = performance.now();
    expect(await deadline.settle(never)).toBe(false);
    expect(await deadline.settle(never)).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(deadline.remainingMs).toBeLessThan(5);
  });

  it('takes what has settled, even when it is over', async () => {
    expect(await new Deadline(-1).settle(Promise.resolve())).toBe(true);
  });
});
