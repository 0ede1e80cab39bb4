import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { HttpException, HttpStatus } from '@nestjs/common';
import { withoutServerPaths } from '../../code/code-path.js';

/** Undefined headers are omitted. */
type Headers = Readonly<Record<string, string | undefined>>;

const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' };

/** The response of an endpoint route. Written to Node's response directly, so that the application cannot alter it. */
export class Answer {
  private constructor(
    readonly status: number,
    readonly headers: Headers,
    readonly body: string | Uint8Array | Readable | undefined,
  ) {}

  /** Without absolute paths of this machine. */
  static json(value: unknown, status: number = HttpStatus.OK, headers: Headers = {}): Answer {
    return new Answer(status, { ...JSON_TYPE, ...headers }, withoutServerPaths(JSON.stringify(value)));
  }

  /** A response that another part has composed. */
  static sent(status: number, headers: Headers, body: string): Answer {
    return new Answer(status, headers, body === '' ? undefined : body);
  }

  /** @param headers must include `Content-Type`, and `Content-Length` for a stream of known length */
  static of(body: string | Uint8Array | Readable, headers: Headers): Answer {
    return new Answer(HttpStatus.OK, headers, body);
  }

  static empty(status: HttpStatus = HttpStatus.NO_CONTENT, headers: Headers = {}): Answer {
    return new Answer(status, headers, undefined);
  }

  /** Formats an exception as Nest does. Errors without a status become a generic 500. */
  static ofError(error: unknown): Answer {
    if (!(error instanceof HttpException)) {
      const { statusCode, message } = isHttpError(error)
        ? error
        : { statusCode: HttpStatus.INTERNAL_SERVER_ERROR, message: 'Internal server error' };
      return Answer.json({ statusCode, message }, statusCode);
    }
    const status = error.getStatus();
    const response = error.getResponse();
    return Answer.json(
      typeof response === 'string' ? { statusCode: status, message: response } : response,
      status,
    );
  }

  /** Does nothing if a response was sent or the client has disconnected. */
  writeTo(response: ServerResponse): void {
    const { body, status, headers } = this;
    const isStream = typeof body === 'object' && 'pipe' in body;
    if (response.headersSent || response.destroyed) {
      if (isStream) body.destroy();
      return;
    }
    response.statusCode = status;
    for (const [name, value] of Object.entries(headers))
      if (value !== undefined) response.setHeader(name, value);
    if (isStream && response.req.method !== 'HEAD') {
      // A client that disconnects early is not an error.
      response.once('close', () => body.destroy());
      body.once('error', () => response.destroy());
      body.pipe(response);
      return;
    }
    if (isStream) body.destroy();
    else if (body !== undefined) response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(isStream ? undefined : body);
  }
}

/** Errors of Fastify plugins and of the package http-errors. */
function isHttpError(error: unknown): error is { statusCode: number; message: string } {
  if (typeof error !== 'object' || error === null) return false;
  const { statusCode, message } = error as { statusCode?: unknown; message?: unknown };
  return (
    typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 && typeof message === 'string'
  );
}
