// Requests to an HTTP server over a connection within its process: what the kernel and the client take is not part of them.
import { Duplex } from 'node:stream';

const REQUEST = Buffer.from('GET /greetings/1 HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n');

/** A connection whose other end calls a function with each response. */
class Wire extends Duplex {
  remoteAddress = '127.0.0.1';
  onResponse = () => {};

  _read() {}
  _write(_chunk, _encoding, done) {
    done();
    this.onResponse();
  }
  _writev(_chunks, done) {
    done();
    this.onResponse();
  }
  setTimeout() {
    return this;
  }
  setNoDelay() {}
  setKeepAlive() {}
}

/** Returns a function that sends so many requests, one after the other. */
export function connect(server) {
  const wire = new Wire();
  server.emit('connection', wire);
  return (requests) =>
    new Promise((resolve) => {
      let left = requests;
      const send = () => wire.push(REQUEST);
      wire.onResponse = () => setImmediate(--left > 0 ? send : resolve);
      send();
    });
}
