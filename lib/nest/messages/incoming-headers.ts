import { type Context, context, propagation, type TextMapGetter, trace } from '@opentelemetry/api';
import { attempt } from '../../async/thrown.js';
import { liveSpanOf } from '../../spans/live-span.js';
import { tracingRuntime } from '../../spans/tracing-runtime.js';
import { own } from '../../validation/own.js';
import type { Handler } from '../handlers/method-wrappers.js';

type Callback = (this: unknown, ...args: unknown[]) => unknown;

/** The headers of a message: those of gRPC and NATS are objects with methods. */
interface HeaderMap {
  get(name: string): unknown;
  keys?(): string[];
  getMap?(): object;
}

/** What Nest gives to a handler beside the data of a message. Each transport has one of these methods. */
interface MessageContext {
  /** RabbitMQ and Kafka. */
  getMessage?(): { properties?: { headers?: unknown }; headers?: unknown } | undefined;
  /** NATS. */
  getHeaders?(): unknown;
  /** MQTT. */
  getPacket?(): { properties?: { userProperties?: unknown } } | undefined;
  /** gRPC. */
  getMap?(): object;
}

/**
 * Runs guards, pipes, interceptors and handlers of a message within the trace of its headers, unless an instrumentation of
 * the transport has continued that. Wraps the functions that Nest makes for its transports, as a handler's own parameters
 * need not contain the headers.
 * @param trustsBaggage whether the baggage of messages is continued
 */
export function continuedMessages(trustsBaggage: () => boolean): Handler {
  return {
    call(method, self, args) {
      const handle = Reflect.apply(method, self, args) as unknown;
      if (typeof handle !== 'function') return handle;
      return function (this: unknown, ...given: unknown[]): unknown {
        const within = attempt('the trace of a message was not continued', () =>
          remoteContext(given, trustsBaggage()),
        );
        return within === undefined
          ? Reflect.apply(handle, this, given)
          : context.with(within, handle as Callback, this, ...given);
      };
    },
  };
}

/** The context of the trace in the headers of a message; undefined if it has none. */
function remoteContext(args: readonly unknown[], trustsBaggage: boolean): Context | undefined {
  if (tracingRuntime.monitor === undefined) return undefined;
  const headers = headersOf(args);
  if (headers === undefined) return undefined;
  const active = context.active();
  const span = trace.getSpan(active);
  // What has ended is that of a connection, or of the request in which it was opened.
  if (span !== undefined && liveSpanOf(span)?.root.ended !== true) return undefined;
  const before = propagation.getBaggage(active);
  const extracted = propagation.extract(trace.deleteSpan(active), headers, GETTER);
  const baggage = propagation.getBaggage(extracted);
  if (trace.getSpan(extracted) === undefined && (!trustsBaggage || baggage === before)) return undefined;
  if (trustsBaggage || baggage === before) return extracted;
  return before === undefined
    ? propagation.deleteBaggage(extracted)
    : propagation.setBaggage(extracted, before);
}

/** @param args what Nest gives to a handler: the data, then the context of the message or the metadata of gRPC */
function headersOf([data, given]: readonly unknown[]): object | undefined {
  // A stream of gRPC is given as a call, which has its metadata.
  const message = (given ?? (data as { metadata?: unknown } | null | undefined)?.metadata) as
    | MessageContext
    | null
    | undefined;
  const headers = message === null || message === undefined ? undefined : headersIn(message);
  return typeof headers === 'object' && headers !== null ? headers : undefined;
}

function headersIn(message: MessageContext): unknown {
  if (typeof message.getMap === 'function') return message;
  if (typeof message.getHeaders === 'function') return message.getHeaders();
  if (typeof message.getPacket === 'function') return message.getPacket()?.properties?.userProperties;
  if (typeof message.getMessage !== 'function') return undefined;
  const received = message.getMessage();
  return received?.properties?.headers ?? received?.headers;
}

const GETTER: TextMapGetter<object> = {
  keys(headers) {
    const { getMap, keys } = headers as HeaderMap;
    if (typeof getMap === 'function') return Object.keys(Reflect.apply(getMap, headers, []) as object);
    return typeof keys === 'function' ? (Reflect.apply(keys, headers, []) as string[]) : Object.keys(headers);
  },
  get(headers, name) {
    const { get } = headers as HeaderMap;
    const isMap = typeof get === 'function';
    return textOf(
      isMap ? Reflect.apply(get, headers, [name]) : own(headers as Record<string, unknown>, name),
    );
  },
};

/** Kafka has bytes, and the others may have several values for a name. */
function textOf(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  const text = Buffer.isBuffer(first) ? first.toString() : first;
  return typeof text === 'string' && text !== '' ? text : undefined;
}
