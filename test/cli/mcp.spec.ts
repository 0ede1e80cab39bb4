import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { TOKEN_VARIABLE } from '../../lib/cli/endpoint-request.js';
import { run } from '../../lib/cli/run.js';

/** An application that answers as a handler says. */
class Application {
  readonly requests: { headers: IncomingMessage['headers']; url: string | undefined; body: string }[] = [];
  private readonly server: Server;

  constructor(answer: (body: string, response: ServerResponse) => void) {
    this.server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      this.requests.push({ headers: request.headers, url: request.url, body });
      answer(body, response);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/performance`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

const json = (response: ServerResponse, value: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value, null, 2));
};

/** Answers each request with its own method. */
const echo = (body: string, response: ServerResponse): void => {
  const { id, method } = JSON.parse(body);
  if (id === undefined) response.writeHead(202).end();
  else if (method === 'initialize')
    json(response, { jsonrpc: '2.0', id, result: { protocolVersion: '2025-06-18' } });
  else json(response, { jsonrpc: '2.0', id, result: { method } });
};

interface Ended {
  readonly code: number;
  readonly answers: { id?: unknown; result?: unknown; error?: { code: number; message: string } }[];
  readonly stderr: string;
}

/** Runs the command with these lines on stdin. */
async function ask(args: string[], lines: readonly (string | Buffer)[]): Promise<Ended> {
  const texts = ['', ''];
  const writable = (index: number): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        texts[index] += String(chunk);
        done();
      },
    });
  const stdin = new PassThrough();
  const ended = run(['mcp', ...args], { stdin, stdout: writable(0), stderr: writable(1) }, () => '1.0.0');
  for (const line of lines) stdin.write(line);
  stdin.end();
  const code = await ended;
  const [stdout = '', stderr = ''] = texts;
  return {
    code,
    answers: stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
    stderr,
  };
}

const message = (id: number, method: string): string => `${JSON.stringify({ jsonrpc: '2.0', id, method })}\n`;

describe('the command mcp', () => {
  let application: Application | undefined;
  const { [TOKEN_VARIABLE]: token } = process.env;
  afterEach(async () => {
    if (token === undefined) delete process.env[TOKEN_VARIABLE];
    else process.env[TOKEN_VARIABLE] = token;
    await application?.close();
    application = undefined;
  });
  const start = (answer: (body: string, response: ServerResponse) => void): Promise<string> => {
    application = new Application(answer);
    return application.listen();
  };

  it('sends each message, and writes each answer on a line', async () => {
    process.env[TOKEN_VARIABLE] = 'sixteen-characters';
    const url = await start(echo);
    const notification = '{"jsonrpc":"2.0","method":"notifications/initialized"}\r\n';
    const { code, answers, stderr } = await ask(
      [url],
      [message(1, 'initialize'), notification, '\n', message(2, 'tools/list').trimEnd()],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(answers.map(({ id, result }) => [id, result])).toEqual([
      [1, { protocolVersion: '2025-06-18' }],
      [2, { method: 'tools/list' }],
    ]);
    const [first, , third] = application?.requests ?? [];
    expect(first).toMatchObject({
      url: '/performance/mcp',
      headers: {
        authorization: 'Bearer sixteen-characters',
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
      },
    });
    expect(first?.headers['mcp-protocol-version']).toBeUndefined();
    expect(third?.headers['mcp-protocol-version']).toBe('2025-06-18');
  });

  it('accepts the address of the MCP endpoint, and lines in pieces of bytes', async () => {
    const url = await start(echo);
    const bytes = Buffer.from(message(1, 'tëst'));
    const at = bytes.indexOf('ë') + 1;
    const { answers } = await ask([`${url}/mcp`], [bytes.subarray(0, at), bytes.subarray(at)]);
    expect(answers).toMatchObject([{ id: 1, result: { method: 'tëst' } }]);
    expect(application?.requests[0]?.url).toBe('/performance/mcp');
  });

  it('answers what the application refuses, or does not answer, with a sentence', async () => {
    const closed = await start((_body, response) =>
      json(response, { statusCode: 403, message: 'Missing or wrong token' }, 403),
    );
    expect((await ask([closed], [message(1, 'initialize')])).answers).toMatchObject([
      {
        id: 1,
        error: {
          code: -32000,
          message: expect.stringMatching(
            /mcp: access denied \(403: Missing or wrong token\): set the environment variable NESTJS_PERFORMANCE_TOKEN/,
          ),
        },
      },
    ]);
    await application?.close();
    expect((await ask([closed], [message(2, 'ping')])).answers[0]?.error?.message).toContain(
      'connection refused: check that the application is running',
    );
    const page = await start((_body, response) => response.end('<html>'));
    expect((await ask([page], [message(3, 'ping')])).answers[0]?.error?.message).toContain('is no JSON');
    await application?.close();
    const notes = await ask([page], ['{"jsonrpc":"2.0","method":"notifications/initialized"}\n']);
    expect(notes.answers).toEqual([]);
    expect(notes.stderr).toContain('connection refused');
    application = undefined;
  });

  it('passes errors of the protocol on, and explains other ones', async () => {
    const url = await start((body, response) => {
      const { id, method } = JSON.parse(body);
      const error = { jsonrpc: '2.0', id, error: { code: -32600, message: 'Invalid request' } };
      json(response, method === 'protocol' ? error : { message: 'Invalid body' }, 400);
    });
    const { answers } = await ask([url], [message(1, 'protocol'), message(2, 'other')]);
    expect(answers).toMatchObject([
      { id: 1, error: { code: -32600, message: 'Invalid request' } },
      { id: 2, error: { code: -32000, message: expect.stringContaining('Invalid body') } },
    ]);
  });

  it('bounds messages, answers and requests at a time', async () => {
    let [running, most] = [0, 0];
    const url = await start((body, response) => {
      most = Math.max(most, ++running);
      setTimeout(() => {
        running--;
        const { method } = JSON.parse(body);
        if (method === 'large') response.end(JSON.stringify('x'.repeat(1024 * 1024)));
        else echo(body, response);
      }, 20);
    });
    const long = `"${'x'.repeat(300_000)}"\n`;
    const many = Array.from({ length: 40 }, (_, index) => message(index + 10, 'ping'));
    const { answers } = await ask([url], [message(1, 'initialize'), long, message(2, 'large'), ...many]);
    expect(answers.find(({ id }) => id === null)?.error).toMatchObject({ code: -32700 });
    expect(answers.find(({ id }) => id === 2)?.error?.message).toContain('the answer exceeds');
    expect(answers.filter(({ result }) => result !== undefined)).toHaveLength(41);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
    expect(application?.requests.some(({ body }) => body.length > 256 * 1024)).toBe(false);
  });

  it.each([
    [[], 'Missing URL: expected the address of the endpoint'],
    [['http://a/performance', 'b'], 'Unexpected argument "b": expected one URL'],
    [['ftp://a'], 'Invalid URL: received "ftp://a"'],
    [['http://me:secret@a/performance'], 'Invalid URL: received credentials'],
    [['--token', 'x', 'http://a'], 'Unknown option --token'],
  ])('refuses %j', async (args, sentence) => {
    const { code, answers, stderr } = await ask(args, []);
    expect({ code, answers }).toEqual({ code: 2, answers: [] });
    expect(stderr).toContain(sentence);
  });
});
