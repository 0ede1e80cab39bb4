import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedProfile {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage['headers'];
  /** By name of the form's field. */
  fields: Record<string, Uint8Array>;
}

/** What `/ingest` of Pyroscope takes, answered as the test wishes. */
export class PyroscopeServer {
  readonly received: ReceivedProfile[] = [];
  /** Answers of requests that are held, while `hold` is set. */
  readonly held: ServerResponse[] = [];
  status = 200;
  hold = false;
  private readonly server: Server = createServer((request, response) => void this.take(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Waits until this many have arrived. */
  async count(received: number): Promise<void> {
    while (this.received.length < received) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://localhost');
    // A parser of forms that is not ours: the platform's.
    const type = String(request.headers['content-type']);
    const form = await new Response(Buffer.concat(chunks), { headers: { 'content-type': type } }).formData();
    const fields: Record<string, Uint8Array> = {};
    for (const [name, value] of form) {
      fields[name] =
        typeof value === 'string' ? Buffer.from(value) : new Uint8Array(await value.arrayBuffer());
    }
    this.received.push({
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      fields,
    });
    if (this.hold) this.held.push(response);
    else response.writeHead(this.status, { location: '/elsewhere' }).end('the body of an answer');
  }
}
