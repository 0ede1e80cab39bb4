import mysql from 'mysql2';

/** The server's side of a connection. */
export interface MysqlPeer {
  writeOk(result: object): void;
  writeError(error: { code: number; message: string }): void;
}

export interface MysqlServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** The types of the package declare neither the server nor its side of a connection. */
interface Server {
  on(event: 'connection', listener: (connection: Connection) => void): void;
  listen(port: number, host: string, done: () => void): void;
  _server: { address(): { port: number }; close(done: () => void): void };
}
interface Connection extends MysqlPeer {
  sequenceId: number;
  on(event: string, listener: (statement: string) => void): void;
  serverHandshake(options: object): void;
}

const HELLO = {
  protocolVersion: 10,
  serverVersion: '8.0.0',
  connectionId: 1,
  statusFlags: 2,
  characterSet: 8,
  capabilityFlags: 0xffffff & ~2048,
};

/** A server of the MySQL protocol, by the package's own implementation of it. `answer` writes a result or an error. */
export async function startMysqlServer(
  answer: (statement: string, peer: MysqlPeer) => void | Promise<void>,
): Promise<MysqlServer> {
  const server = (mysql as unknown as { createServer(): Server }).createServer();
  server.on('connection', (connection) => {
    connection.on('error', () => {});
    connection.serverHandshake({
      ...HELLO,
      authCallback: (_user: object, done: () => void) => {
        done();
        startToCount(connection);
      },
    });
    connection.on('query', async (statement) => {
      await answer(statement, connection);
      startToCount(connection);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server._server.address().port,
    stop: () => new Promise((resolve) => server._server.close(() => resolve())),
  };
}

/** The packets of each command are counted from 0. */
function startToCount(connection: Connection): void {
  connection.sequenceId = 0;
}
