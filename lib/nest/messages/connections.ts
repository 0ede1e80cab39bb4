import { performance } from 'node:perf_hooks';
import { attempt } from '../../async/thrown.js';
import { boundedName } from '../../operation/operation.js';
import type { SpanSink } from '../../spans/live-span.js';
import type { Handler } from '../handlers/method-wrappers.js';

/** A client of a gateway: a socket of Socket.IO, which has a namespace, or a WebSocket. */
interface Client {
  readonly nsp?: unknown;
  once?(event: string, listener: () => void): unknown;
}

/**
 * Counts each connection to a gateway when it ends, as a stream: however long it lasts, it is not slow. Wraps the functions
 * that Nest makes for the connections of each gateway.
 * @param sink of the application
 */
export function countedConnections(sink: SpanSink): Handler {
  /** The gateways of each connection: several may share a server. */
  const gateways = new WeakMap<object, Set<string>>();
  return {
    call(method, self, args) {
      const connect = Reflect.apply(method, self, args) as unknown;
      const [, gateway] = args as [unknown, { constructor: { readonly name: string } }];
      if (typeof connect !== 'function') return connect;
      return function (this: unknown, ...given: unknown[]): unknown {
        attempt('a connection could not be observed', () => {
          const client = given[0] as Client;
          const known = gateways.get(client);
          const names = known ?? new Set();
          names.add(boundedName(`${gateway.constructor.name} connection`));
          if (known !== undefined) return;
          gateways.set(client, names);
          countAtEnd(client, names, sink);
        });
        return Reflect.apply(connect, this, given);
      };
    },
  };
}

function countAtEnd(client: Client, names: ReadonlySet<string>, sink: SpanSink): void {
  const startedAt = performance.now();
  client.once?.(client.nsp === undefined ? 'close' : 'disconnect', () =>
    attempt('a connection could not be counted', () => {
      const durationMs = performance.now() - startedAt;
      const thresholdMs = Number.POSITIVE_INFINITY;
      for (const name of names)
        sink.record({ type: 'websocket', name, durationMs, thresholdMs, error: false });
    }),
  );
}
