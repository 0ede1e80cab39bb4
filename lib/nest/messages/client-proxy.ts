import { context, trace } from '@opentelemetry/api';
import { attempt } from '../../async/thrown.js';
import { liveSpanOf } from '../../spans/live-span.js';
import { countInner } from '../../tracing/work-tracking.js';
import type { Measurement } from '../decorators/track.js';
import { patternTemplate } from '../handlers/message-pattern.js';
import type { Handler, Method } from '../handlers/method-wrappers.js';
import { ClientCall } from './client-call.js';

/** `messaging.system` by the class of the client. */
const SYSTEMS = new Map([
  ['ClientRMQ', 'rabbitmq'],
  ['ClientKafka', 'kafka'],
  ['ClientNats', 'nats'],
  ['ClientMqtt', 'mqtt'],
  ['ClientRedis', 'redis'],
]);
const MAX_DEPTH = 8;

/** An Observable that sends when it is connected, not when it is subscribed to. */
interface Connectable {
  connect: () => unknown;
  subscribe(observer: { error(error: unknown): void; complete(): void }): unknown;
}

/** Measures `send`: each subscription is a call, until the last response or the end of the subscription. */
export const sentRequests: Handler = {
  call(method, self, args) {
    const result = Reflect.apply(method, self, args) as unknown;
    attempt('a message could not be measured', () => {
      const [pattern, data] = args;
      if (!isMessage(pattern, data)) return;
      const name = patternTemplate(pattern);
      const attributes = { 'rpc.system.name': 'nestjs', 'rpc.method': name };
      new ClientCall('rpc', `send ${name}`, attributes, self).observeSubscriptions(result);
    });
    return result;
  },
};

/** Measures `emit`, which sends at once, until the transport has accepted the message. */
export const emittedEvents: Handler = {
  call(method, self, args) {
    const running = attempt('a message could not be measured', () => startEvent(self, args));
    if (running === undefined) return Reflect.apply(method, self, args);
    let result: unknown;
    try {
      result = context.with(
        running.context,
        method as Method & ((...args: unknown[]) => unknown),
        self,
        ...args,
      );
    } catch (error) {
      running.fail(error);
      throw error;
    }
    attempt('a message could not be observed', () => observeEvent(running, result));
    return result;
  },
};

function startEvent(self: unknown, [pattern, data]: unknown[]): Measurement | undefined {
  if (!isMessage(pattern, data)) return undefined;
  const name = patternTemplate(pattern);
  const attributes = {
    'messaging.system': systemOf(self),
    'messaging.operation.name': 'emit',
    'messaging.operation.type': 'send',
    'messaging.destination.name': name,
  };
  return new ClientCall('messaging', `emit ${name}`, attributes, self).start();
}

/** A subscription of ours sends nothing, and hides no error: without subscribers, errors are dropped. */
function observeEvent(running: Measurement, result: unknown): void {
  if (!isConnectable(result)) {
    running.lose();
    return;
  }
  result.subscribe({
    error: (error) => end(running, () => running.fail(error)),
    complete: () => end(running, () => running.succeed()),
  });
}

function end(running: Measurement, finish: () => void): void {
  const live = liveSpanOf(trace.getSpan(running.context));
  // An instrumentation of the transport has created a span for the same message.
  if (live !== undefined) attempt('a span could not be left to another', () => countInner(live));
  finish();
}

/** Nest refuses others. */
function isMessage(pattern: unknown, data: unknown): boolean {
  return pattern !== undefined && pattern !== null && data !== undefined && data !== null;
}

function isConnectable(value: unknown): value is Connectable {
  return typeof (value as Partial<Connectable> | undefined)?.connect === 'function';
}

function systemOf(client: unknown): string {
  let at = client;
  for (let depth = 0; depth < MAX_DEPTH && typeof at === 'object' && at !== null; depth++) {
    at = Object.getPrototypeOf(at) as unknown;
    const type: unknown = at === null ? undefined : (at as object).constructor;
    const system = typeof type === 'function' ? SYSTEMS.get(type.name) : undefined;
    if (system !== undefined) return system;
  }
  return 'nestjs';
}
