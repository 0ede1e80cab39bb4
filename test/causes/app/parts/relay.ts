import { type AddressInfo, connect, createServer } from 'node:net';

/** Relays to a local port, and delays each response as a network would. */
export function startRelay(target: number, delayMs: number): Promise<number> {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    near.on('data', (bytes) => far.write(bytes));
    // Timers of equal length end in the order of their start.
    far.on('data', (bytes) => setTimeout(() => near.write(bytes), delayMs));
    near.on('error', () => far.destroy()).once('close', () => far.destroy());
    far.on('error', () => near.destroy()).once('close', () => setTimeout(() => near.end(), delayMs));
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}
