import { own } from '../../validation/own.js';

/** The part of a request that is used, for Express, Fastify, HTTP/1.1 and HTTP/2. */
export interface EndpointRequest {
  readonly method?: string;
  readonly url: string;
  /** The full URL: Express strips the mount path from `url`. */
  readonly originalUrl?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As the application's parser has read it; undefined if none has. */
  readonly body?: unknown;
  readonly params?: Readonly<Record<string, string | undefined>>;
  readonly socket?: { readonly remoteAddress?: string; readonly encrypted?: boolean };
  /** Names and values in turn, as received. */
  readonly rawHeaders?: readonly string[];
  /** Node's request within that of Fastify. */
  readonly raw?: { readonly rawHeaders?: readonly string[] };
}

/** All values of a header. Node itself keeps only the first of headers such as `Host` and `Authorization`. */
export function headerValues(request: EndpointRequest, name: string): string[] {
  const { raw, rawHeaders = raw?.rawHeaders } = request;
  const values = rawHeaders?.filter(
    (_, index) => rawHeaders[index - 1]?.toLowerCase() === name && index % 2 === 1,
  );
  if (values !== undefined && values.length > 0) return values;
  const value = own(request.headers, name);
  return value === undefined ? [] : [value].flat();
}

/** The first value of a header that may be a list: what the proxy next to the client has set. */
export function firstValue(request: EndpointRequest, name: string): string | undefined {
  const [first] = headerValues(request, name).join(',').split(',', 1);
  return first?.trim().toLowerCase() || undefined;
}
