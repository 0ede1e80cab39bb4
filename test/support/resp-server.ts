import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';

/** The behaviour of a Redis server. */
export interface RespBehaviour {
  /** The delay of each reply in milliseconds. */
  delayMs?: number;
}

/** A small server for RESP2 and RESP3 over real sockets: strings, pipelines, errors. */
export class RespServer {
  private readonly values = new Map<string, string>();
  private readonly sockets = new Set<Socket>();
  private constructor(
    private readonly server: Server,
    private readonly behaviour: RespBehaviour,
  ) {}

  static async start(behaviour: RespBehaviour = {}): Promise<RespServer> {
    const server = createServer();
    const peer = new RespServer(server, behaviour);
    server.on('connection', (socket) => peer.serve(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return peer;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    socket.on('error', () => {});
    const connection = { resp3: false };
    let input = Buffer.alloc(0);
    let answered = Promise.resolve();
    socket.on('data', (chunk) => {
      input = Buffer.concat([input, chunk]);
      for (let parsed = parse(input); parsed !== undefined; parsed = parse(input)) {
        input = input.subarray(parsed.length);
        const { command } = parsed;
        // Replies come in the order of the commands, each after its delay.
        answered = answered
          .then(() => wait(this.behaviour.delayMs ?? 0))
          .then(() => {
            if (!socket.destroyed) socket.write(this.answer(command, connection));
          });
      }
    });
  }

  private answer([name = '', ...args]: string[], connection: { resp3: boolean }): string {
    const [key = '', value = ''] = args;
    switch (name.toUpperCase()) {
      case 'HELLO':
        connection.resp3 = key === '3';
        return map(connection.resp3, [
          ['server', bulk('redis')],
          ['version', bulk('7.0.0')],
          ['proto', `:${connection.resp3 ? 3 : 2}\r\n`],
          ['mode', bulk('standalone')],
          ['role', bulk('master')],
        ]);
      case 'INFO':
        return bulk('# Server\r\nredis_version:7.0.0\r\nloading:0\r\n');
      case 'PING':
        return '+PONG\r\n';
      case 'SET':
        this.values.set(key, value);
        return '+OK\r\n';
      case 'GET':
        if (key === 'list') return '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n';
        return bulk(this.values.get(key));
      case 'MGET':
        return `*${args.length}\r\n${args.map((one) => bulk(this.values.get(one))).join('')}`;
      case 'BLPOP':
        return '*-1\r\n';
      case 'DEL':
        return `:${args.filter((one) => this.values.delete(one)).length}\r\n`;
      case 'SELECT':
      case 'CLIENT':
      case 'QUIT':
        return '+OK\r\n';
      default:
        return `-ERR unknown command '${name}'\r\n`;
    }
  }
}

function wait(ms: number): Promise<void> {
  return ms === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}

function bulk(value: string | undefined): string {
  return value === undefined ? '$-1\r\n' : `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
}

function map(resp3: boolean, entries: [string, string][]): string {
  const body = entries.map(([key, value]) => bulk(key) + value).join('');
  return resp3 ? `%${entries.length}\r\n${body}` : `*${entries.length * 2}\r\n${body}`;
}

/** One command, an array of bulk strings, if it is complete. */
function parse(input: Buffer): { command: string[]; length: number } | undefined {
  let at = 0;
  const line = (): string | undefined => {
    const end = input.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const text = input.toString('utf8', at, end);
    at = end + 2;
    return text;
  };
  const header = line();
  if (header === undefined) return undefined;
  const command: string[] = [];
  for (let i = 0; i < Number(header.slice(1)); i++) {
    const size = line();
    if (size === undefined) return undefined;
    const length = Number(size.slice(1));
    if (input.length < at + length + 2) return undefined;
    command.push(input.toString('utf8', at, at + length));
    at += length + 2;
  }
  return { command, length: at };
}
