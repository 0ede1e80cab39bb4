import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Fastify's reply, which wraps Node's response. */
interface Reply {
  readonly raw: ServerResponse;
  hijack(): unknown;
  getHeaders(): OutgoingHttpHeaders;
}

/** The response of Express (Node's own) or of Fastify. */
export type AnyResponse = ServerResponse | Reply;

export function rawOf(response: AnyResponse): ServerResponse {
  return 'raw' in response ? response.raw : response;
}

/** Detaches Node's response from the framework, including headers that plugins have set. */
export function takeOver(response: AnyResponse): ServerResponse {
  if (!('raw' in response)) return response;
  response.hijack();
  for (const [name, value] of Object.entries(response.getHeaders()))
    if (value !== undefined && !response.raw.hasHeader(name)) response.raw.setHeader(name, value);
  return response.raw;
}
