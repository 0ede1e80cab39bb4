// Servers within the process, whose answers are always the same: one speaks as much of the protocol of Postgres as a client
// needs to connect and to ask for one row, the other one answers requests of HTTP.
import { once } from 'node:events';
import { createServer } from 'node:net';

const INT4 = 23;
const TEXT = 25;

function message(type, ...parts) {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const int16 = (value) => Buffer.from([value >> 8, value & 255]);
const int32 = (value) => Buffer.concat([int16(value >>> 16), int16(value & 65_535)]);
const text = (value) => Buffer.from(`${value}\0`);
const column = (name, type, size) =>
  Buffer.concat([text(name), int32(0), int16(0), int32(type), int16(size), int32(-1), int16(0)]);
const field = (value) => Buffer.concat([int32(value.length), Buffer.from(value)]);

const READY = message('Z', Buffer.from('I'));
const CONNECTED = Buffer.concat([message('R', int32(0)), READY]);
const ROW = Buffer.concat([
  message('1'),
  message('2'),
  message('T', int16(2), column('id', INT4, 4), column('name', TEXT, -1)),
  message('D', int16(2), field('1'), field('a name')),
  message('C', text('SELECT 1')),
  READY,
]);

const RESPONSE = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

/** Each statement gets the same row. @returns the port */
export function listenAsDatabase() {
  return listen((socket) => {
    socket.once('data', () => {
      socket.write(CONNECTED);
      // The client sends the messages of a statement at once.
      socket.on('data', () => socket.write(ROW));
    });
  });
}

/** @returns the port */
export function listenAsHttpServer() {
  return listen((socket) => socket.on('data', () => socket.write(RESPONSE)));
}

async function listen(onConnection) {
  const server = createServer({ noDelay: true }, onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}
