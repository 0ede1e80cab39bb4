import type { IncomingMessage } from 'node:http';
import { BadRequestException, PayloadTooLargeException, UnsupportedMediaTypeException } from '@nestjs/common';
import { type EndpointRequest, headerValues } from './endpoint-request.js';

/**
 * The JSON body of a request. The application may have parsed it already, as an object or as text, or have no parser.
 * @throws HttpException for a body that is too large, encoded, no JSON, or was consumed before
 */
export async function jsonBodyOf(request: EndpointRequest, maxBytes: number): Promise<unknown> {
  if (Number(headerValues(request, 'content-length')[0]) > maxBytes) throw tooLarge(maxBytes);
  const { body } = request;
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    if (Buffer.byteLength(body) > maxBytes) throw tooLarge(maxBytes);
    return parsed(body.toString());
  }
  const raw = rawOf(request);
  // Parsers of Express leave an empty object where they read nothing.
  if (body !== undefined && body !== null && (raw.readableDidRead || !isEmpty(body))) {
    // Only a body in chunks has no length that was checked.
    if (headerValues(request, 'content-length').length === 0 && sizeOf(body) > maxBytes)
      throw tooLarge(maxBytes);
    return body;
  }
  if (raw.readableDidRead)
    throw new BadRequestException(
      'Missing body: the application has read it and kept none, expected one JSON-RPC message',
    );
  if ((headerValues(request, 'content-encoding')[0] ?? 'identity') !== 'identity')
    throw new UnsupportedMediaTypeException('Unsupported content encoding: send the body without one');
  return parsed(await textOf(raw, maxBytes));
}

function rawOf(request: EndpointRequest): IncomingMessage {
  const { raw = request } = request as { raw?: unknown };
  return raw as IncomingMessage;
}

async function textOf(raw: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Not the iterator, which would destroy the connection before the refusal is sent.
  await new Promise<void>((resolve, reject) => {
    raw.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // The rest is read and dropped: a connection that is paused would stay so, and its client would wait.
      if (bytes <= maxBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge(maxBytes));
      }
    });
    raw.once('end', resolve);
    raw.once('error', reject);
    raw.once('close', () => reject(new BadRequestException('The connection was closed within the body')));
  });
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequestException('Invalid body: received no JSON, expected one JSON-RPC message');
  }
}

function isEmpty(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.keys(body).length === 0;
}

/** What a parser of the application made of the body may be anything. */
function sizeOf(body: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(body) ?? '');
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function tooLarge(maxBytes: number): PayloadTooLargeException {
  return new PayloadTooLargeException(
    `The body is too large: expected one JSON-RPC message of up to ${maxBytes} bytes`,
  );
}
