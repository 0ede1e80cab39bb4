import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Fastify's reply, which holds Node's response. */
interface Reply {
  readonly raw: ServerResponse;
  hijack(): unknown;
  getHeaders(): OutgoingHttpHeaders;
}

/** Express hands out Node's response, Fastify what holds it. */
export type AnyResponse = ServerResponse | Reply;

export function rawOf(response: AnyResponse): ServerResponse {
  return 'raw' in response ? response.raw : response;
}

/** Node's response, with the headers that plugins have set, which the framework leaves alone from now on. */
export function takeOver(response: AnyResponse): ServerResponse {
  if (!('raw' in response)) return response;
  response.hijack();
  for (const [name, value] of Object.entries(response.getHeaders()))
    if (value !== undefined && !response.raw.hasHeader(name)) response.raw.setHeader(name, value);
  return response.raw;
}
