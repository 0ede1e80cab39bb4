import type { ServerResponse } from 'node:http';

/** Both frameworks' responses set headers like this. */
export interface WithHeader {
  header(name: string, value: string): unknown;
}

/** Express hands out Node's response, Fastify what holds it. */
export type AnyResponse = ServerResponse | { readonly raw: ServerResponse; hijack(): unknown };

export function rawOf(response: AnyResponse): ServerResponse {
  return 'raw' in response ? response.raw : response;
}

/** Node's response, which the framework leaves alone from now on. */
export function takeOver(response: AnyResponse): ServerResponse {
  if ('raw' in response) response.hijack();
  return rawOf(response);
}
