import { tracingChannel } from 'node:diagnostics_channel';
import { type Attributes, context, type Span, SpanKind, type Tracer } from '@opentelemetry/api';
import { reportFault } from '../async/thrown.js';
import { knownStatements } from '../spans/statement.js';
import { MYSQL } from '../spans/statement-dialect.js';
import { setError } from './query-span.js';
import { setParameters } from './work-tracking.js';

/** A driver that publishes its work on tracing channels of Node. */
export interface ChannelDriver {
  /** The npm package, and its first version with such channels. */
  readonly driver: string;
  readonly minVersion: string;
  readonly channels: readonly string[];
  /** The span of a message, by the semantic conventions for databases; undefined for none. */
  describe(
    channel: string,
    message: Message,
  ): { name: string; attributes: Attributes; values?: unknown } | undefined;
}

/** A message of a driver: its own fields, and `error` once there is one. */
type Message = Readonly<Record<string, unknown>> & { error?: unknown };

function peer({ serverAddress, serverPort }: Message): Attributes {
  return {
    'server.address': typeof serverAddress === 'string' ? serverAddress : undefined,
    'server.port': typeof serverPort === 'number' ? serverPort : undefined,
  };
}

/** Redis: only the name of the command, and whether it blocks. Its arguments are keys and values. */
function redisCommand(message: Message): { name: string; attributes: Attributes } {
  const command = String(message['command']).toUpperCase();
  const args = message['args'];
  const blocks =
    command.startsWith('XREAD') && Array.isArray(args) && args.some((arg) => /^block$/i.test(String(arg)));
  return {
    name: blocks ? `${command} BLOCK` : command,
    attributes: {
      'db.system.name': 'redis',
      'db.operation.name': command,
      'db.namespace': message['database'] === undefined ? undefined : String(message['database']),
      ...peer(message),
    },
  };
}

/** The drivers with tracing channels. Channels of batches are omitted: their commands are published, too. */
export const CHANNEL_DRIVERS: readonly ChannelDriver[] = [
  {
    driver: 'ioredis',
    minVersion: '5.11.0',
    channels: ['ioredis:command'],
    describe: (_channel, message) => redisCommand(message),
  },
  {
    driver: '@redis/client',
    minVersion: '5.12.0',
    channels: ['node-redis:command'],
    describe: (_channel, message) => redisCommand(message),
  },
  {
    driver: 'mysql2',
    minVersion: '3.20.0',
    channels: ['mysql2:query', 'mysql2:execute', 'mysql2:pool:connect'],
    describe(channel, message) {
      const connects = channel === 'mysql2:pool:connect';
      return {
        name: connects ? 'mysql2.pool.connect' : 'mysql2.query',
        attributes: {
          'db.system.name': 'mysql',
          'db.namespace': typeof message['database'] === 'string' ? message['database'] : undefined,
          'db.operation.name': connects ? 'pool.connect' : undefined,
          'db.query.text': connects ? undefined : knownStatements.get(String(message['query']), MYSQL).text,
          ...peer(message),
        },
        values: message['values'],
      };
    },
  },
  {
    driver: 'mongoose',
    minVersion: '9.8.0',
    channels: [
      'mongoose:query',
      'mongoose:aggregate',
      'mongoose:model:save',
      'mongoose:model:insertMany',
      'mongoose:model:bulkWrite',
      'mongoose:cursor:next',
    ],
    describe(channel, message) {
      const operation = String(message['operation'] ?? channel.slice(channel.lastIndexOf(':') + 1));
      const collection = message['collection'] === undefined ? undefined : String(message['collection']);
      return {
        name: collection === undefined ? operation : `${operation} ${collection}`,
        attributes: {
          'db.system.name': 'mongodb',
          'db.operation.name': operation,
          'db.collection.name': collection,
          'db.namespace': message['database'] === undefined ? undefined : String(message['database']),
          ...peer(message),
        },
      };
    },
  },
];

export interface ChannelOptions {
  readonly drivers?: readonly ChannelDriver[];
  /** Whether another instrumentation creates the spans of a driver. Called at the start of each operation. */
  readonly skip?: (driver: string) => boolean;
}

/**
 * Creates a CLIENT span of each operation that a driver publishes, from its start until its promise settles or its callback
 * is called, in the context that is active at its start. Never throws into the driver.
 * @param tracer called for each span
 * @returns a function that unsubscribes
 */
export function subscribeChannelDrivers(tracer: () => Tracer, options: ChannelOptions = {}): () => void {
  const { drivers = CHANNEL_DRIVERS, skip = () => false } = options;
  const unsubscribers = drivers.flatMap((driver) =>
    driver.channels.map((channel) => {
      const handlers = handlersOf(driver, channel, tracer, skip);
      const traced = tracingChannel<unknown, object>(channel);
      traced.subscribe(handlers);
      return () => traced.unsubscribe(handlers);
    }),
  );
  return () => {
    for (const unsubscribe of unsubscribers) unsubscribe();
  };
}

function handlersOf(
  driver: ChannelDriver,
  channel: string,
  tracer: () => Tracer,
  skip: (driver: string) => boolean,
): Record<'start' | 'end' | 'asyncStart' | 'asyncEnd' | 'error', (message: object) => void> {
  const spans = new WeakMap<object, Span>();
  const finish = (message: object): void => {
    const span = spans.get(message);
    if (span === undefined) return;
    spans.delete(message);
    setError(span, (message as Message).error);
    span.end();
  };
  const guarded =
    (handle: (message: object) => void) =>
    (message: object): void => {
      try {
        handle(message);
      } catch (error) {
        reportFault(`reading a message on ${channel} failed`, error);
      }
    };
  return {
    start: guarded((message) => {
      if (skip(driver.driver)) return;
      const described = driver.describe(channel, message as Message);
      if (described === undefined) return;
      const { name, attributes, values } = described;
      const span = tracer().startSpan(name, { kind: SpanKind.CLIENT, attributes }, context.active());
      spans.set(message, span);
      setParameters(span, values);
    }),
    // A function that throws synchronously ends with its error set, without asynchronous events.
    end: guarded((message) => {
      if ('error' in message) finish(message);
    }),
    asyncStart: guarded(finish),
    asyncEnd: () => {},
    error: () => {},
  };
}
