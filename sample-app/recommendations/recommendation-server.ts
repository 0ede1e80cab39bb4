import { createServer } from 'node:http';

/**
 * A second service in a separate process: recommends albums to a customer, and is slow for every fourth customer.
 */
const server = createServer((request, response) => {
  const customer = Number(new URL(request.url ?? '/', 'http://localhost').searchParams.get('customer'));
  const delayMs = customer % 4 === 0 ? 400 : 5;
  setTimeout(() => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify([1, 2, 3].map((n) => 1 + ((customer * n * 31) % 1500))));
  }, delayMs);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' && address !== null ? address.port : 0);
});
process.once('disconnect', () => process.exit());
