import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClientKafka, ClientMqtt, ClientNats, ClientRMQ } from '@nestjs/microservices';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { MethodWrappers } from '../../lib/nest/handlers/method-wrappers.js';
import { continuedMessages } from '../../lib/nest/messages/incoming-headers.js';
import { OUTGOING_HEADERS } from '../../lib/nest/messages/outgoing-headers.js';
import { startTracing, type TestTracing } from '../support/tracing';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const CLASSES = { ClientRMQ, ClientNats, ClientMqtt, ClientKafka };

/** As the headers of NATS. */
class NatsHeaders implements Iterable<[string, string[]]> {
  private readonly values = new Map<string, string[]>();
  append(name: string, value: string): void {
    this.values.set(name, [...(this.values.get(name) ?? []), value]);
  }
  set(name: string, value: string): void {
    this.values.set(name, [value]);
  }
  get(name: string): string {
    return this.values.get(name)?.[0] ?? '';
  }
  has(name: string): boolean {
    return this.values.has(name);
  }
  keys(): string[] {
    return [...this.values.keys()];
  }
  [Symbol.iterator]() {
    return this.values[Symbol.iterator]();
  }
}

type Merge = (given?: unknown) => Record<string, unknown> | undefined;

let tracing: TestTracing;
beforeEach(() => {
  tracing = startTracing();
});
afterEach(() => tracing.shutdown());

/** Calls `work` within a span, and returns what it returns and the header of the span. */
function inSpan<T>(work: () => T): { result: T; traceparent: string } {
  const span = tracing.provider.getTracer('test').startSpan('request');
  return context.with(trace.setSpan(context.active(), span), () => {
    const headers: Record<string, string> = {};
    propagation.inject(context.active(), headers);
    const result = work();
    span.end();
    return { result, traceparent: headers['traceparent'] as string };
  });
}

describe('headers of a message that is sent', () => {
  let wrappers: MethodWrappers;
  beforeEach(() => {
    wrappers = new MethodWrappers();
    for (const { type, method, handler } of OUTGOING_HEADERS)
      wrappers.add(CLASSES[type as keyof typeof CLASSES].prototype, method, () => handler, true);
  });
  afterEach(() => wrappers.restore());

  const client = (
    type: { prototype: object },
    fields: object,
  ): { mergeHeaders: Merge; mergePacketOptions: Merge } =>
    Object.assign(Object.create(type.prototype), fields) as never;

  it('continue the trace beside those of the record and the client, which remain as they are', () => {
    const rabbit = client(ClientRMQ, { options: { headers: { tenant: 'a' } } });
    const given = Object.freeze({ 'x-id': 7 });
    const { result, traceparent } = inSpan(() => rabbit.mergeHeaders(given));
    expect(result).toEqual({ traceparent, tenant: 'a', 'x-id': 7 });
    expect(inSpan(() => rabbit.mergeHeaders()).result).toMatchObject({ tenant: 'a' });
    expect(rabbit.mergeHeaders(given)).toEqual({ tenant: 'a', 'x-id': 7 });
  });

  it('are left out where a propagator throws', () => {
    const rabbit = client(ClientRMQ, { options: {} });
    const fail = (): never => {
      throw new Error('of the propagator');
    };
    propagation.disable();
    propagation.setGlobalPropagator({ inject: fail, extract: fail, fields: () => [] });
    const span = tracing.provider.getTracer('test').startSpan('request');
    const given = { 'x-id': 7 };
    context.with(trace.setSpan(context.active(), span), () =>
      expect(rabbit.mergeHeaders(given)).toEqual(given),
    );
  });

  it('are not those of two traces', () => {
    const rabbit = client(ClientRMQ, { options: {} });
    for (const name of ['traceparent', 'Traceparent'])
      expect(inSpan(() => rabbit.mergeHeaders({ [name]: PARENT })).result).toEqual({ [name]: PARENT });
  });

  it('are added to those of NATS in a copy, if the server accepts headers', () => {
    const given = new NatsHeaders();
    given.append('x-id', '7');
    given.append('x-id', '8');
    const nats = client(ClientNats, { options: {}, natsClient: { info: { headers: true } } });
    // The package of NATS is not loaded here: its class of headers stands in for it.
    wrappers.restore();
    const original = Object.getOwnPropertyDescriptor(
      ClientNats.prototype,
      'mergeHeaders',
    ) as PropertyDescriptor;
    const merge = function (this: { options: { headers?: object } }, headers?: NatsHeaders) {
      const merged = headers ?? new NatsHeaders();
      for (const [name, value] of Object.entries(this.options.headers ?? {}))
        if (!merged.has(name)) merged.set(name, value as string);
      return headers === undefined && this.options.headers === undefined ? undefined : merged;
    };
    Object.defineProperty(ClientNats.prototype, 'mergeHeaders', { ...original, value: merge });
    wrappers = new MethodWrappers();
    const [found] = OUTGOING_HEADERS.filter(({ type }) => type === 'ClientNats');
    wrappers.add(ClientNats.prototype, 'mergeHeaders', () => found?.handler, true);
    const { result, traceparent } = inSpan(() => nats.mergeHeaders(given));
    expect([...(result as unknown as NatsHeaders)]).toEqual([
      ['traceparent', [traceparent]],
      ['x-id', ['7', '8']],
    ]);
    expect(given.keys()).toEqual(['x-id']);
    const old = client(ClientNats, { options: {}, natsClient: { info: {} } });
    expect(inSpan(() => old.mergeHeaders()).result).toBeUndefined();
    wrappers.restore();
    Object.defineProperty(ClientNats.prototype, 'mergeHeaders', original);
  });

  it('are user properties of MQTT 5, and none of earlier versions', () => {
    const properties = Object.freeze({
      userProperties: Object.freeze({ tenant: 'a' }),
      payloadFormatIndicator: true,
    });
    const mqtt = client(ClientMqtt, { options: {}, mqttClient: { options: { protocolVersion: 5 } } });
    const { result, traceparent } = inSpan(() => mqtt.mergePacketOptions({ qos: 1, properties }));
    expect(result).toEqual({
      qos: 1,
      properties: { payloadFormatIndicator: true, userProperties: { traceparent, tenant: 'a' } },
    });
    const old = client(ClientMqtt, { options: {}, mqttClient: { options: { protocolVersion: 4 } } });
    expect(inSpan(() => old.mergePacketOptions()).result).toBeUndefined();
  });

  it('are in the trace of the caller where MQTT subscribes to the answers first', async () => {
    let acknowledge = (): void => {};
    const published: unknown[] = [];
    const mqttClient = {
      options: { protocolVersion: 5 },
      subscribe: (_topic: string, done: () => void) => {
        acknowledge = done;
      },
      publish: (...args: unknown[]) => published.push(args[2]),
    };
    const { subscribe } = mqttClient;
    const mqtt = client(ClientMqtt, {
      options: {},
      mqttClient,
      routingMap: new Map(),
      subscriptionsCount: new Map(),
      serializer: { serialize: (packet: object) => JSON.stringify(packet) },
    }) as unknown as { publish(packet: object, callback: () => void): void };
    const { traceparent } = inSpan(() => mqtt.publish({ pattern: 'a', data: 1 }, () => {}));
    expect(mqttClient.subscribe).toBe(subscribe);
    inSpan(() => acknowledge());
    expect(published).toEqual([{ properties: { userProperties: { traceparent } } }]);
  });

  it('are added to messages of Kafka, whose serializer remains', async () => {
    const sent: { messages: { headers: object }[] }[] = [];
    const serializer = { serialize: async (value: object) => ({ value, headers: { tenant: 'a' } }) };
    const kafka = client(ClientKafka, {
      options: {},
      serializer,
      _producer: { send: async (message: (typeof sent)[number]) => void sent.push(message) },
    }) as unknown as { dispatchEvent(packet: object): Promise<void> };
    const { result, traceparent } = inSpan(() => kafka.dispatchEvent({ pattern: 'a', data: { id: 1 } }));
    await result;
    expect(sent[0]?.messages[0]?.headers).toEqual({ traceparent, tenant: 'a' });
    expect(Object.keys(serializer)).toEqual(['serialize']);
  });
});

describe('headers of a message that is received', () => {
  const traceIdFor = (...args: unknown[]): string | undefined => {
    const create = (): unknown => () => trace.getSpanContext(context.active())?.traceId;
    const handle = continuedMessages(() => false).call(create, {}, []) as (
      ...args: unknown[]
    ) => string | undefined;
    return handle(...args);
  };
  const nats = new NatsHeaders();
  nats.append('traceparent', PARENT);
  const metadata = {
    getMap: () => ({ traceparent: PARENT }),
    get: (name: string) => (name === 'traceparent' ? [PARENT] : []),
  };
  const headers = { traceparent: PARENT };
  const CARRIERS: [string, ...unknown[]][] = [
    ['RabbitMQ', {}, { getMessage: () => ({ properties: { headers } }) }],
    ['Kafka', {}, { getMessage: () => ({ headers: { traceparent: Buffer.from(PARENT) } }) }],
    ['NATS', {}, { getHeaders: () => nats }],
    ['MQTT 5', {}, { getPacket: () => ({ properties: { userProperties: { traceparent: [PARENT, 'x'] } } }) }],
    ['gRPC', {}, metadata],
    ['a stream of gRPC', { metadata }],
  ];

  it.each(CARRIERS)('of %s are continued', (_name, ...args) => {
    expect(traceIdFor(...args)).toBe(TRACE);
  });

  it.each([
    ['none', [{}]],
    ['null', [null, null]],
    ['text', ['data', 'text']],
    [
      'a header of another type',
      [{}, { getMessage: () => ({ properties: { headers: { traceparent: 7 } } }) }],
    ],
    [
      'a malformed header',
      [{}, { getMessage: () => ({ properties: { headers: { traceparent: '00-zz' } } }) }],
    ],
    ['an inherited one', [{}, { getMessage: () => ({ properties: { headers: Object.create(headers) } }) }]],
    [
      'headers that throw',
      [
        {},
        {
          getHeaders: () => {
            throw new Error('of the transport');
          },
        },
      ],
    ],
    ['no packet', [{}, { getPacket: () => undefined }]],
  ] as [string, unknown[]][])('do no harm if they are %s', (_name, args) => {
    expect(traceIdFor(...args)).toBeUndefined();
  });

  it('do not replace the trace that an instrumentation has continued', () => {
    const { result, traceparent } = inSpan(() => traceIdFor({}, { getHeaders: () => nats }));
    expect(traceparent).toContain(result);
  });

  it('replace the trace of a request that has ended, whose context a connection kept', () => {
    let kept = ROOT_CONTEXT;
    inSpan(() => {
      kept = context.active();
    });
    expect(context.with(kept, () => traceIdFor({}, { getHeaders: () => nats }))).toBe(TRACE);
  });

  it('have no baggage unless it is trusted', () => {
    const args = [
      {},
      { getMessage: () => ({ properties: { headers: { ...headers, baggage: 'tenant=shop' } } }) },
    ];
    const create = (): unknown => () => propagation.getActiveBaggage()?.getEntry('tenant')?.value;
    const seen = (trusts: boolean) =>
      (continuedMessages(() => trusts).call(create, {}, []) as (...args: unknown[]) => unknown)(...args);
    expect([seen(false), seen(true)]).toEqual([undefined, 'shop']);
  });
});
