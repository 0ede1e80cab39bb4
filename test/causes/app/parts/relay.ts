import { type AddressInfo, connect, createServer } from 'node:net';

/** Relays to a port of this machine, and holds each answer back as a network would. */
export function startRelay(target: number, delayMs: number): Promise<number> {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    near.on('data', (bytes) => far.write(bytes));
    // Timers of one length end in the order in which they began.
    far.on('data', (bytes) => setTimeout(() => near.write(bytes), delayMs));
    near.on('error', () => far.destroy()).once('close', () => far.destroy());
    far.on('error', () => near.destroy()).once('close', () => setTimeout(() => near.end(), delayMs));
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}
