// A client that allocates little, and the same for each request: one connection, one request after the other.
import { connect as open } from 'node:net';

/** Connects to a server of this process. @returns a function that asks for a path so many times */
export async function connect(port) {
  const socket = open({ port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  let request;
  let remaining = 0;
  let done;
  socket.on('data', (chunk) => {
    // A response of this size arrives in one piece.
    if (chunk.latin1Slice(9, 12) !== '200') throw new Error(chunk.toString());
    if (--remaining > 0) socket.write(request);
    else done();
  });
  return (path, times) => {
    request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n`);
    remaining = times;
    return new Promise((resolve) => {
      done = resolve;
      socket.write(request);
    });
  };
}
