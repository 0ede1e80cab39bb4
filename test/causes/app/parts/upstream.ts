import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Another service. `?delay=` delays the response, `?body=` the body after the headers; `?rows=` is the number of rows in it, and
 * `?cursor=` is answered by the next one. `/flaky/KEY` fails five times and then succeeds.
 */
export function startUpstream(): Promise<number> {
  const attempts = new Map<string, number>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const status = pathname.startsWith('/flaky/') ? flaky(pathname, attempts) : 200;
    const number = (name: string): number => Number(searchParams.get(name) ?? 0);
    const id = number('cursor') || Number(pathname.split('/').at(-1)) || 1;
    const text = JSON.stringify({ id, next: id + 1, rows: rows(number('rows')) });
    setTimeout(() => answer(response, status, text, number('body')), number('delay'));
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

function rows(count: number): object[] {
  return Array.from({ length: count }, (_, n) => ({ id: n, title: `Book ${n}`, tags: ['used', 'paper'] }));
}

function answer(response: ServerResponse, status: number, text: string, bodyMs: number): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.flushHeaders();
  if (bodyMs > 0) setTimeout(() => response.end(text), bodyMs);
  else response.end(text);
}
