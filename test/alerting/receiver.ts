import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it arrived. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly at: number;
}
/** What it is answered; `never`: the connection stays open. */
export type Answer = { status: number; headers?: Record<string, string>; body?: string } | 'never';

/** A real HTTP server that keeps what it gets. */
export class Receiver {
  readonly received: Received[] = [];

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param answer by the request and how many came before it; default 200 */
  static async listen(
    answer: (request: Received, index: number) => Answer = () => ({ status: 200 }),
    port = 0,
  ): Promise<Receiver> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const received = {
          method,
          path: url,
          headers,
          body: Buffer.concat(chunks).toString(),
          at: performance.now(),
        };
        const index = receiver.received.push(received) - 1;
        const given = answer(received, index);
        if (given === 'never') return;
        response.writeHead(given.status, given.headers);
        response.end(given.body);
      });
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new Receiver(server, (server.address() as AddressInfo).port);
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
