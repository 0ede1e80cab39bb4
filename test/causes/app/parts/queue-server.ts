import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** A message queue with one line per message, which it confirms after the requested delay. */
export function startQueue(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    createInterface(socket).on('line', (line) => {
      const { id, delayMs } = JSON.parse(line) as { id: number; delayMs: number };
      setTimeout(() => socket.write(`${id}\n`), delayMs);
    });
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}
