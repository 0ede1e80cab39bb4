import { performance } from 'node:perf_hooks';
import { attempt } from '../../async/thrown.js';
import { boundedName } from '../../operation/operation.js';
import { sinkOfOwner } from '../decorators/code-owners.js';
import type { Handler } from '../handlers/method-wrappers.js';

/** A client of a gateway: a socket of Socket.IO, which has a namespace, or a WebSocket. */
interface Client {
  readonly nsp?: unknown;
  once?(event: string, listener: () => void): unknown;
}

interface Gateway {
  readonly constructor: { readonly name: string };
}

/** The gateways of each connection: several may share a server. */
const gateways = new WeakMap<Client, Set<Gateway>>();

/**
 * Counts each connection to a gateway when it ends, as a stream: however long it lasts, it is not slow. Wraps the functions
 * that Nest makes for the connections of each gateway.
 */
export const countedConnections: Handler = {
  call(method, self, args) {
    const connect = Reflect.apply(method, self, args) as unknown;
    const [, gateway] = args as [unknown, Gateway];
    if (typeof connect !== 'function') return connect;
    return function (this: unknown, ...given: unknown[]): unknown {
      attempt('a connection could not be observed', () => observe(given[0] as Client, gateway));
      return Reflect.apply(connect, this, given);
    };
  },
};

/** One listener for all gateways of a connection: Node warns of many. */
function observe(client: Client, gateway: Gateway): void {
  const known = gateways.get(client);
  if (known !== undefined) {
    known.add(gateway);
    return;
  }
  const connected = new Set([gateway]);
  gateways.set(client, connected);
  const startedAt = performance.now();
  client.once?.(client.nsp === undefined ? 'close' : 'disconnect', () =>
    attempt('a connection could not be counted', () => {
      const durationMs = performance.now() - startedAt;
      for (const each of connected) count(each, durationMs);
    }),
  );
}

function count(gateway: Gateway, durationMs: number): void {
  sinkOfOwner(gateway)?.record({
    type: 'websocket',
    name: boundedName(`${gateway.constructor.name} connection`),
    durationMs,
    thresholdMs: Number.POSITIVE_INFINITY,
    error: false,
  });
}
