import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { formatValue } from '../validation/options-error.js';
import { type Command, EXIT, type Io, logLine } from './command.js';
import { endpointAddress } from './endpoint-client.js';
import {
  accepted,
  askEndpoint,
  EndpointFault,
  objectIn,
  TIMEOUT_SECONDS,
  TOKEN_VARIABLE,
  textOf,
  tokenOfEnvironment,
} from './endpoint-request.js';
import { type CommandInput, UsageError } from './options.js';

export const mcp: Command = {
  usage: 'mcp URL',
  description: `Lets an agent ask a running application about its performance, by Model Context Protocol over stdin and stdout: for clients
that start a command. URL is the address of the application's endpoint, such as http://localhost:3000/performance. The
tools only read. Clients that support Streamable HTTP can use URL/mcp without this command.

If endpoint.token is set, pass the token in the environment variable ${TOKEN_VARIABLE}. It is never read from
the command line, which other users can see.

Exit codes: 0 the client has disconnected, 2 invalid arguments.`,
  options: {},
  run,
};

/** The limit of the endpoint for one message. */
const MAX_MESSAGE_BYTES = 256 * 1024;
/** An answer of a tool has some 50 kilobytes, the list of tools ten. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Requests at a time. Further messages wait on stdin. */
const MAX_CONCURRENT = 8;

const PARSE_ERROR = -32700;
const UNAVAILABLE = -32000;

async function run({ operands }: CommandInput, io: Io): Promise<number> {
  const [given, ...more] = operands;
  if (given === undefined)
    throw new UsageError(
      'Missing URL: expected the address of the endpoint, such as http://localhost:3000/performance',
    );
  if (more.length > 0) throw new UsageError(`Unexpected argument ${formatValue(more[0])}: expected one URL`);
  const address = endpointAddress(given);
  if ('fault' in address) throw new UsageError(address.fault);
  const proxy = new McpProxy(new URL(`${address.base.replace(/\/mcp$/, '')}/mcp`), tokenOfEnvironment(), io);
  await proxy.serve();
  return EXIT.fine;
}

/** Sends each line of stdin to the endpoint, and writes its answer to stdout. No state but the protocol version. */
class McpProxy {
  private version: string | undefined;
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly url: URL,
    private readonly token: string | undefined,
    private readonly io: Io,
  ) {}

  async serve(): Promise<void> {
    for await (const line of linesOf(this.io.stdin)) {
      if (line === undefined) {
        this.fail(null, PARSE_ERROR, `The message is longer than ${MAX_MESSAGE_BYTES} bytes`);
        continue;
      }
      if (line.trim() === '') continue;
      const answering = this.answer(line).finally(() => this.running.delete(answering));
      this.running.add(answering);
      // What follows depends on the version that it negotiates.
      if (this.version === undefined) await answering;
      if (this.running.size >= MAX_CONCURRENT) await Promise.race(this.running);
    }
    await Promise.all(this.running);
  }

  /** Never rejects. */
  private async answer(line: string): Promise<void> {
    const { id, method } = objectIn(line);
    try {
      const text = await this.ask(line);
      if (text === '') return;
      const { result } = objectIn(text) as { result?: { protocolVersion?: unknown } };
      const version = method === 'initialize' ? result?.protocolVersion : undefined;
      if (typeof version === 'string' && /^[\w.-]{1,32}$/.test(version)) this.version = version;
      // One line, whatever a proxy in between has made of it.
      this.write(JSON.parse(text));
    } catch (error) {
      const reason = error instanceof EndpointFault ? error.message : 'the response is no JSON';
      const message = `${this.url.href}: ${reason}`;
      if (isId(id)) this.fail(id, UNAVAILABLE, message);
      else logLine(this.io, message);
    }
  }

  /** The body of the response; empty for a notification. Rejects with {@link EndpointFault}. */
  private async ask(body: string): Promise<string> {
    const { version } = this;
    const headers = {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(version === undefined ? {} : { 'mcp-protocol-version': version }),
    };
    const answer = await askEndpoint('POST', this.url, { token: this.token }, TIMEOUT_SECONDS, {
      body,
      headers,
    });
    // An error of the protocol, as JSON-RPC, is the client's to read.
    const isProtocol = /json/.test(answer.headers['content-type'] ?? '') && answer.statusCode === 400;
    if (answer.statusCode === 202) {
      answer.resume();
      return '';
    }
    const response = isProtocol ? answer : await accepted(answer, 200, this.token !== undefined);
    const text = await textOf(response, MAX_ANSWER_BYTES);
    if (text === undefined) throw new EndpointFault(`the answer exceeds ${MAX_ANSWER_BYTES} bytes`);
    const parsed = objectIn(text);
    if (isProtocol && parsed['jsonrpc'] !== '2.0')
      throw new EndpointFault(String(parsed['message'] ?? 'the application responded with 400'));
    return text;
  }

  private fail(id: string | number | null, code: number, message: string): void {
    this.write({ jsonrpc: '2.0', id, error: { code, message } });
  }

  private write(message: unknown): void {
    this.io.stdout.write(`${JSON.stringify(message)}\n`);
  }
}

/** Notifications have none: nobody waits for an answer. */
function isId(id: unknown): id is string | number {
  return typeof id === 'string' || typeof id === 'number';
}

/** The lines of a stream; undefined for one that is longer than a message may be. */
async function* linesOf(stream: Readable): AsyncGenerator<string | undefined> {
  const decoder = new StringDecoder('utf8');
  let line = '';
  let isTooLong = false;
  for await (const chunk of stream) {
    const parts = decoder.write(chunk as Buffer).split('\n');
    for (const [index, part] of parts.entries()) {
      if (index > 0) {
        yield isTooLong ? undefined : line;
        line = '';
        isTooLong = false;
      }
      isTooLong ||= Buffer.byteLength(line) + Buffer.byteLength(part) > MAX_MESSAGE_BYTES;
      line = isTooLong ? '' : line + part;
    }
  }
  if (isTooLong || line !== '') yield isTooLong ? undefined : line;
}
