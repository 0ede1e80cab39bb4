import { types } from 'node:util';
import { context } from '@opentelemetry/api';
import { attempt } from '../../async/thrown.js';
import type { Handler, Method } from '../handlers/method-wrappers.js';
import { hasHeader, isEmpty, traceHeaders } from './trace-headers.js';

const FAULT = 'the trace could not be added to a message';

/** The headers of a message of NATS. */
interface NatsHeaders extends Iterable<[string, string[]]> {
  keys(): string[];
  append(name: string, value: string): void;
}

/** The options of a message of MQTT. */
interface MqttOptions {
  readonly properties?: { readonly userProperties?: Readonly<Record<string, unknown>> };
}

/**
 * What clients of Nest that have headers call for the headers of each message, by class and method. Each result is a new
 * object: that of a record may be used for several messages.
 */
export const OUTGOING_HEADERS: readonly { type: string; method: string; handler: Handler }[] = [
  { type: 'ClientRMQ', method: 'mergeHeaders', handler: adding(addRabbitHeaders) },
  { type: 'ClientNats', method: 'mergeHeaders', handler: adding(addNatsHeaders) },
  { type: 'ClientMqtt', method: 'mergePacketOptions', handler: adding(addMqttProperties) },
  { type: 'ClientMqtt', method: 'publish', handler: { call: publishToMqtt } },
  { type: 'ClientKafka', method: 'publish', handler: { call: publishToKafka } },
  { type: 'ClientKafka', method: 'dispatchEvent', handler: { call: publishToKafka } },
];

/** @param add returns undefined where the result remains */
function adding(add: (merged: unknown, self: object, merge: Method) => unknown): Handler {
  return {
    call(method, self, args) {
      const merged = Reflect.apply(method, self, args) as unknown;
      return attempt(FAULT, () => add(merged, self as object, method)) ?? merged;
    },
  };
}

function addRabbitHeaders(merged: unknown): unknown {
  const headers = traceHeaders(hasHeader(merged));
  return isEmpty(headers) ? undefined : { ...headers, ...(merged as object | undefined) };
}

function addNatsHeaders(merged: unknown, client: object, merge: Method): unknown {
  const { natsClient } = client as { natsClient?: { info?: { headers?: unknown } } };
  // Without them, NATS throws for a message with headers.
  if (natsClient?.info?.headers !== true) return undefined;
  const given = merged as NatsHeaders | undefined;
  const names = new Set(given?.keys().map((name) => name.toLowerCase()));
  const headers = traceHeaders((name) => names.has(name.toLowerCase()));
  if (isEmpty(headers)) return undefined;
  // The class of the headers is known to Nest only, which makes them of those in the options of the client.
  const result = Reflect.apply(merge, { options: { headers } }, []) as NatsHeaders;
  for (const [name, values] of given ?? []) for (const value of values) result.append(name, value);
  return result;
}

function addMqttProperties(merged: unknown, client: object): unknown {
  const { mqttClient } = client as { mqttClient?: { options?: { protocolVersion?: unknown } } };
  // Earlier versions have no properties.
  if (mqttClient?.options?.protocolVersion !== 5) return undefined;
  const options = merged as MqttOptions | undefined;
  const given = options?.properties?.userProperties;
  const headers = traceHeaders(hasHeader(given));
  if (isEmpty(headers)) return undefined;
  return { ...options, properties: { ...options?.properties, userProperties: { ...headers, ...given } } };
}

/**
 * The first request of a pattern is sent once the broker has acknowledged a subscription, in the context of the connection:
 * in that of the caller instead.
 */
function publishToMqtt(method: Method, self: unknown, args: unknown[]): unknown {
  const publish = (): unknown => Reflect.apply(method, self, args);
  const { mqttClient } = self as { mqttClient?: { subscribe?: unknown } };
  const subscribe = mqttClient?.subscribe;
  if (mqttClient === undefined || typeof subscribe !== 'function') return publish();
  const caller = context.active();
  return withReplaced(mqttClient, 'subscribe', publish, (...given) => {
    const last = given.at(-1);
    const bound = typeof last === 'function' ? [...given.slice(0, -1), context.bind(caller, last)] : given;
    return Reflect.apply(subscribe, mqttClient, bound);
  });
}

/** The serializer, which Nest calls at once, returns the message with its headers. */
function publishToKafka(method: Method, self: unknown, args: unknown[]): unknown {
  const publish = (): unknown => Reflect.apply(method, self, args);
  const { serializer } = self as { serializer?: { serialize?: unknown } };
  const serialize = serializer?.serialize;
  if (serializer === undefined || typeof serialize !== 'function') return publish();
  const caller = context.active();
  const add = (message: unknown): unknown =>
    attempt(FAULT, () => context.with(caller, () => withKafkaHeaders(message))) ?? message;
  return withReplaced(serializer, 'serialize', publish, (...given) => {
    const message = Reflect.apply(serialize, serializer, given) as unknown;
    return isThenable(message) ? message.then(add) : add(message);
  });
}

function withKafkaHeaders(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || !('value' in message)) return undefined;
  const given = (message as { headers?: object }).headers;
  const headers = traceHeaders(hasHeader(given));
  return isEmpty(headers) ? undefined : { ...message, headers: { ...headers, ...given } };
}

/** Replaces a method of an object while `work` runs. An object that cannot be changed remains as it is. */
function withReplaced(
  object: object,
  name: string,
  work: () => unknown,
  value: (...args: unknown[]) => unknown,
): unknown {
  if (types.isProxy(object)) return work();
  const before = Object.getOwnPropertyDescriptor(object, name);
  const replacement = { value, configurable: true, writable: true, enumerable: before?.enumerable ?? false };
  if (before?.configurable === false || !Reflect.defineProperty(object, name, replacement)) return work();
  try {
    return work();
  } finally {
    if (before === undefined) Reflect.deleteProperty(object, name);
    else Reflect.defineProperty(object, name, before);
  }
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof (value as Partial<Promise<unknown>> | undefined)?.then === 'function';
}
