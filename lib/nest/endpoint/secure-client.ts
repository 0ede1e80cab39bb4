import { type EndpointRequest, firstValue, headerValues } from './endpoint-request.js';

/** Headers with which proxies name the scheme that the client uses. */
const SCHEMES = [
  'cloudfront-forwarded-proto',
  'fly-forwarded-proto',
  'x-client-scheme',
  'x-forwarded-proto',
  'x-forwarded-protocol',
  'x-forwarded-scheme',
  'x-real-proto',
  'x-scheme',
  'x-url-scheme',
];
/** Headers with which proxies say that the client uses TLS. */
const SWITCHES = ['fastly-ssl', 'front-end-https', 'wl-proxy-ssl', 'x-appengine-https', 'x-forwarded-ssl'];
const ON = new Set(['on', '1', 'true', 'yes']);

/** Whether the browser uses HTTPS. A proxy may have terminated it. */
export function usesHttps(request: EndpointRequest): boolean {
  const { headers, socket } = request;
  // Not `in`: the socket of HTTP/2 has the property without TLS, too.
  if (socket?.encrypted === true) return true;
  const page = String(headers['origin'] ?? headers['referer'] ?? '');
  return (
    page.startsWith('https:') ||
    SCHEMES.some((name) => firstValue(request, name) === 'https') ||
    SWITCHES.some((name) => ON.has(firstValue(request, name) ?? '')) ||
    // IIS sends the details of the certificate.
    headers['x-arr-ssl'] !== undefined ||
    forwardedScheme(request) === 'https' ||
    cloudflareScheme(request) === 'https'
  );
}

/** The scheme of the first proxy in `Forwarded` (RFC 7239): `for=192.0.2.1;proto=https, for=10.0.0.1;proto=http`. */
function forwardedScheme(request: EndpointRequest): string | undefined {
  return /(?:^|;)\s*proto=(?:"([^"]*)"|([^\s;]*))/
    .exec(firstValue(request, 'forwarded') ?? '')
    ?.slice(1)
    .find(Boolean);
}

/** `{"scheme":"https"}` */
function cloudflareScheme(request: EndpointRequest): string | undefined {
  return /"scheme"\s*:\s*"(\w+)"/.exec(headerValues(request, 'cf-visitor')[0] ?? '')?.[1]?.toLowerCase();
}
