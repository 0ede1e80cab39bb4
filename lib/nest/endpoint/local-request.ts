import { BlockList, isIP, isIPv6 } from 'node:net';
import { cameThroughProxy } from '../../tracing/proxy-headers.js';
import { type EndpointRequest, headerValues } from './endpoint-request.js';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
LOOPBACK.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** A host name or address with an optional port, without characters that a URL would interpret. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;
const LOCALHOST = /^(?:[\w-]+\.)*localhost\.?$/;

/**
 * Whether a request comes from this machine, and not for someone else: from the loopback interface, for a name or an
 * address of it, and through no known proxy. Any other host name may be one that a web page has resolved to this machine
 * (DNS rebinding).
 */
export function isLocal(request: EndpointRequest): boolean {
  return (
    isLoopback(request.socket?.remoteAddress ?? '') &&
    isForLocalHost(request) &&
    !cameThroughProxy(request.headers)
  );
}

function isForLocalHost(request: EndpointRequest): boolean {
  const { url, originalUrl = url } = request;
  const hosts = [...headerValues(request, 'host'), ...headerValues(request, ':authority')];
  // The absolute form of a request target names the host, too.
  if (!originalUrl.startsWith('/')) hosts.push(URL.canParse(originalUrl) ? new URL(originalUrl).host : '');
  return hosts.length > 0 && hosts.every(isLocalHost);
}

function isLocalHost(host: string): boolean {
  if (!HOST.test(host) || !URL.canParse(`http://${host}`)) return false;
  // In the form of browsers: lower case, and addresses in their shortest form.
  const { hostname } = new URL(`http://${host}`);
  return LOCALHOST.test(hostname) || isLoopback(hostname.replace(/^\[|\]$/g, ''));
}

function isLoopback(address: string): boolean {
  return isIP(address) > 0 && LOOPBACK.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
