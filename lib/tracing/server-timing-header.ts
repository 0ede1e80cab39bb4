import type { IncomingMessage, ServerResponse } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { performance } from 'node:perf_hooks';
import { reportFault } from '../async/thrown.js';
import { dominantGroup } from '../explain/slow-evidence.js';
import { loopIdleMs } from '../process/loop-idle.js';
import type { LiveSpan } from '../spans/live-span.js';
import { formatServerTiming } from '../spans/server-timing.js';
import { cameThroughProxy } from './proxy-headers.js';

const HEADER = 'Server-Timing';

/** Loopback, private and link-local addresses. */
const INTERNAL = new BlockList();
for (const [network, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  INTERNAL.addSubnet(network, bits, 'ipv4');
  INTERNAL.addSubnet(`::ffff:${network}`, 96 + bits, 'ipv6');
}
INTERNAL.addAddress('::1', 'ipv6');
INTERNAL.addSubnet('fc00::', 7, 'ipv6');
INTERNAL.addSubnet('fe80::', 10, 'ipv6');

/** Whether a request comes from an internal address, and for nobody else: through no known proxy. */
export function isFromInside({ socket, headers }: IncomingMessage): boolean {
  const address = socket?.remoteAddress ?? '';
  return (
    isIP(address) > 0 &&
    INTERNAL.check(address, isIPv6(address) ? 'ipv6' : 'ipv4') &&
    !cameThroughProxy(headers)
  );
}

/**
 * Adds the time of a request to the headers of its response, just before they are sent. What the application sets itself
 * remains.
 * @param spanOf the span of the request while it runs
 */
export function addServerTiming(response: ServerResponse, spanOf: () => LiveSpan | undefined): void {
  const { writeHead } = response;
  let isAdded = false;
  response.writeHead = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    try {
      // Node.js accepts a list of headers in other forms where no header was set before.
      const live = isAdded || response.headersSent || Array.isArray(args.at(-1)) ? undefined : spanOf();
      if (live !== undefined) {
        isAdded = true;
        response.appendHeader(HEADER, timingOf(live));
      }
    } catch (error) {
      reportFault(`the header ${HEADER} was not sent`, error);
    }
    return Reflect.apply(writeHead, this, args) as ServerResponse;
  } as ServerResponse['writeHead'];
}

function timingOf(live: LiveSpan): string {
  const now = performance.now();
  const groups = live.request.work?.groups ?? [];
  return formatServerTiming(now - live.startedAt, live.breakdown(now, loopIdleMs()), (part) => {
    const group = dominantGroup(part, groups);
    if (group === undefined) return undefined;
    return group.started > 1 ? `${group.key.name} x ${group.started}` : group.key.name;
  });
}
