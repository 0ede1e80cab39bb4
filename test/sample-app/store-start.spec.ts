import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { StoreProcess, until } from './store-process';

describe('the start of the music store', () => {
  it.each([
    ['PORT', 'eighty', 'Invalid PORT: received "eighty", expected a whole number from 0 to 65535'],
    [
      'DATABASE_URL',
      'mysql://me:hidden@db/store',
      'Invalid DATABASE_URL: received "mysql://***@db/store", expected an address such as postgres://user:password@localhost:5432/store',
    ],
    [
      'DATABASE_URL',
      'postgres://me:hidden@127.0.0.1:1/store',
      `Cannot connect to DATABASE_URL "postgres://***@127.0.0.1:1/store" (connect ECONNREFUSED 127.0.0.1:1): start the database, or unset DATABASE_URL to use the store's own Postgres`,
    ],
    ['TRAFFIC_SECONDS', 'long', 'Invalid TRAFFIC_SECONDS: received "long", expected a whole number from 1'],
    [
      'TRAFFIC_PER_SECOND',
      '0',
      'Invalid TRAFFIC_PER_SECOND: received "0", expected a whole number from 1 to 1000',
    ],
    [
      'HOST',
      '192.0.2.1',
      'Invalid HOST: received "192.0.2.1", expected a local address (listen EADDRNOTAVAIL: address not available 192.0.2.1)',
    ],
    [
      'OTEL_HTTP_THRESHOLD_MS',
      'fast',
      'Invalid OTEL_HTTP_THRESHOLD_MS: received "fast", expected a number of milliseconds, 0 to 86400000',
    ],
  ])(
    'reports an invalid %s=%s in one line',
    async (name, value, message) => {
      const refused = StoreProcess.open({ PORT: '0', [name]: value }, ['--quiet']);
      expect(await refused.ended()).toBe(1);
      expect(refused.output).toBe(`${message}\n`);
    },
    30_000,
  );

  it('reports that the given port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const refused = StoreProcess.open({ PORT: String(port) }, ['--quiet']);
    await refused.ended();
    expect(refused.output).toBe(`PORT ${port} is taken: set another one, or 0 for any free port\n`);
    server.close();
  }, 30_000);

  it('uses another port if the default is taken, and prints it', async () => {
    const server = createServer().listen(3000, '127.0.0.1');
    // Any other process on this port serves the test as well.
    await Promise.race([once(server, 'listening'), once(server, 'error').catch(() => {})]).catch(() => {});
    const other = StoreProcess.open({ PORT: '' }, ['--quiet']);
    try {
      expect(new URL(await other.address()).port).not.toBe('3000');
      expect(other.output).toContain('(port 3000 is taken)');
      expect(other.output).not.toMatch(/ERROR|EADDRINUSE/);
    } finally {
      await other.close();
      server.close();
    }
  }, 60_000);
});

describe('the music store in a container', () => {
  it('listens on other addresses, and requires the token at /performance', async () => {
    const token = 'token-of-the-container';
    const store = StoreProcess.open({ PORT: '0', HOST: '0.0.0.0', PERFORMANCE_TOKEN: token }, ['--quiet']);
    try {
      const { port } = new URL(await store.address());
      // Unreachable if the store listens on 127.0.0.1 only.
      const stats = `http://127.0.0.2:${port}/performance/stats`;
      expect((await fetch(stats)).status).toBe(403);
      expect((await fetch(stats, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    } finally {
      await store.close();
    }
  }, 60_000);
});

describe('the simulated traffic', () => {
  it('produces findings', async () => {
    // The findings are printed when the traffic has ended.
    const store = StoreProcess.open({ PORT: '0', TRAFFIC_SECONDS: '6' });
    try {
      await store.address();
      await until(
        () => (/operations were slow:\n(?:.*\n){3}/.test(store.output) ? true : undefined),
        'the findings',
      );
      expect(store.output).toMatch(/of \d+ +median .* http +GET /);
      expect(store.output).toMatch(/GET \/tracks\/search took \d+ ms \(threshold 150/);
    } finally {
      await store.close();
    }
  }, 60_000);
});
