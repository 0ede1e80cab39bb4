import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Another service. `?delay=` delays the response, `?body=` the body after the headers. `/flaky/KEY` fails five times and then
 * succeeds.
 */
export function startUpstream(): Promise<number> {
  const attempts = new Map<string, number>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const status = pathname.startsWith('/flaky/') ? flaky(pathname, attempts) : 200;
    const [delay, body] = ['delay', 'body'].map((name) => Number(searchParams.get(name) ?? 0));
    setTimeout(() => answer(response, status, pathname, body ?? 0), delay);
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

function flaky(key: string, attempts: Map<string, number>): number {
  const count = (attempts.get(key) ?? 0) + 1;
  attempts.set(key, count);
  return count <= 5 ? 503 : 200;
}

function answer(response: ServerResponse, status: number, pathname: string, bodyMs: number): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.flushHeaders();
  const id = Number(pathname.split('/').at(-1)) || 1;
  const write = (): unknown => response.end(JSON.stringify({ id, next: id + 1 }));
  if (bodyMs > 0) setTimeout(write, bodyMs);
  else write();
}
