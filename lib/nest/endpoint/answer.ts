import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { HttpException, HttpStatus } from '@nestjs/common';

/** One that is `undefined` is left out. */
type Headers = Readonly<Record<string, string | undefined>>;

const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' };

/** What a route of the endpoint answers. It is written to Node's response, whatever the application does to its own answers. */
export class Answer {
  private constructor(
    readonly status: number,
    readonly headers: Headers,
    readonly body: string | Uint8Array | Readable | undefined,
  ) {}

  static json(value: unknown, status: number = HttpStatus.OK): Answer {
    return new Answer(status, JSON_TYPE, JSON.stringify(value));
  }

  /** @param headers with `Content-Type` and, of a stream whose length is known, `Content-Length` */
  static of(body: string | Uint8Array | Readable, headers: Headers): Answer {
    return new Answer(HttpStatus.OK, headers, body);
  }

  static empty(status: HttpStatus = HttpStatus.NO_CONTENT, headers: Headers = {}): Answer {
    return new Answer(status, headers, undefined);
  }

  /** As Nest answers exceptions. Of one that bears no status the caller learns nothing. */
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

  /** Does nothing where there is an answer already, and where the client has gone. */
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

/** An error of Fastify's plugins, or of the package http-errors. */
function isHttpError(error: unknown): error is { statusCode: number; message: string } {
  if (typeof error !== 'object' || error === null) return false;
  const { statusCode, message } = error as { statusCode?: unknown; message?: unknown };
  return (
    typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 && typeof message === 'string'
  );
}
