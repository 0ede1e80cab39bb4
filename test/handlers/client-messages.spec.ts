import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import {
  ClientProxy,
  ClientProxyFactory,
  ClientsModule,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import {
  firstValueFrom,
  interval,
  lastValueFrom,
  mergeMap,
  type Observable,
  take,
  timeout,
  toArray,
} from 'rxjs';
import { TrackPerformance } from '../../lib/nest/decorators/track-performance.decorator.js';
import { fetchFromOutside, startApplication, type TestApplication, until } from '../support/application';
import { OtlpReceiver } from '../support/otlp-receiver';
import { sleep } from '../support/tracing';

let handled = 0;

@Controller()
class OrdersController {
  constructor(@Inject('SERVICE') readonly client: ClientProxy) {}

  @Get('prices')
  async prices(): Promise<number[]> {
    const prices: number[] = [];
    for (let id = 1; id <= 12; id++) prices.push(await this.price(id));
    return prices;
  }

  @Get('commands')
  async commands(): Promise<void> {
    for (let id = 1; id <= 12; id++) await firstValueFrom(this.client.send({ cmd: 'price' }, id));
    for (const cmd of ['tax', 'stock', 'label'])
      for (let id = 1; id <= 2; id++) await firstValueFrom(this.client.send({ cmd }, id));
  }

  @Get('slow')
  slow(): Observable<unknown> {
    return this.client.send('price.slow', 1);
  }

  @Get('chained')
  chained(): Observable<unknown> {
    return this.client.send('price.of', 1).pipe(mergeMap(() => this.client.send('price.slow', 1)));
  }

  @Get('notify')
  async notify(@Query('count') count: string): Promise<void> {
    for (let id = 1; id <= Number(count); id++)
      await firstValueFrom(this.client.emit('order.paid', id), { defaultValue: 0 });
  }

  @TrackPerformance('internal')
  price(id: number): Promise<number> {
    return firstValueFrom(this.client.send<number>('price.of', id));
  }

  @MessagePattern('price.of')
  async priceOf(id: number): Promise<number> {
    handled++;
    await sleep(2);
    return id * 2;
  }

  @MessagePattern([{ cmd: 'price' }, { cmd: 'tax' }, { cmd: 'stock' }, { cmd: 'label' }])
  command(): number {
    return 1;
  }

  @EventPattern({ event: 'paid' })
  commandPaid(): void {
    handled++;
  }

  @MessagePattern('price.slow')
  async slowly(): Promise<string> {
    await sleep(60);
    return trace.getActiveSpan()?.spanContext().traceId ?? '';
  }

  @MessagePattern('price.broken')
  broken(): never {
    throw new RangeError('of the handler');
  }

  @MessagePattern('price.stream')
  stream(): Observable<number> {
    return interval(5).pipe(take(3));
  }

  @EventPattern('order.paid')
  paid(_id: number): void {
    handled++;
  }
}

const SERVICE: MicroserviceOptions = {
  transport: Transport.TCP,
  options: { host: '127.0.0.1', port: 5147 },
};

describe('messages that a client sends', () => {
  const originals = { ...Object.getOwnPropertyDescriptors(ClientProxy.prototype) };
  let application: TestApplication;
  let client: ClientProxy;
  let receiver: OtlpReceiver;
  beforeEach(async () => {
    handled = 0;
    receiver = await OtlpReceiver.start();
    application = await startApplication(
      'express',
      {
        imports: [ClientsModule.register([{ name: 'SERVICE', ...SERVICE } as never]) as never],
        controllers: [OrdersController],
        before: async (app) => {
          app.connectMicroservice(SERVICE);
          await app.startAllMicroservices();
        },
      },
      {
        customThresholds: { rpc: 30 },
        detection: { nPlusOne: { minTotalMs: 0 } },
        tracing: { endpoint: receiver.endpoint },
      },
    );
    client = application.app.get(OrdersController).client;
  });
  afterEach(async () => {
    await application.app.close();
    receiver.stop();
  });

  const get = async (path: string): Promise<string> =>
    (await fetchFromOutside(`${application.url}/${path}`)).text();
  const counted = async (name: string, count: number) => {
    await until(() => application.operation(name)?.count === count);
    return application.operation(name);
  };

  it('are calls of type rpc, with the N+1 of a loop and its line', async () => {
    for (let n = 0; n < 3; n++) expect(JSON.parse(await get('prices'))).toHaveLength(12);
    expect(await counted('send price.of', 36)).toMatchObject({ type: 'rpc', errorCount: 0 });
    expect(handled).toBe(36);
    const [found] = application.monitor.getFindings();
    expect(found).toMatchObject({
      type: 'n_plus_one',
      route: 'GET /prices',
      callSite: { function: 'OrdersController.price' },
    });
    expect(found?.explanation).toContain('send price.of');
  });

  it('have objects as patterns that tell their calls apart, in findings and in exported names', async () => {
    for (let n = 0; n < 3; n++) await get('commands');
    client.emit({ event: 'paid' }, 1);
    await counted('send {"cmd":"price"}', 36);
    await until(() => handled === 1);
    const findings = application.monitor.getFindings();
    expect(findings.map(({ explanation }) => explanation)).toEqual([
      expect.stringContaining('12 sequential copies of send {"cmd":"price"} from OrdersController.commands'),
    ]);
    await application.app.close();
    const names = new Set(receiver.spans.map(({ name }) => name));
    expect([...names].sort()).toEqual(
      [
        'GET /commands',
        ...['price', 'tax', 'stock', 'label'].map((cmd) => `send {"cmd":"${cmd}"}`),
        ['price', 'tax', 'stock', 'label'].map((cmd) => `{"cmd":"${cmd}"}`).join(' | '),
        'emit {"event":"paid"}',
        'process {"event":"paid"}',
      ].sort(),
    );
  });

  it('are slow by the threshold of their type, and the cause of a slow request', async () => {
    await get('slow');
    await until(() => application.monitor.getSlowOperations({ type: 'rpc' }).length > 0);
    const names = application.monitor.getSlowOperations({ type: 'rpc' }).map(({ name }) => name);
    expect(names).toContain('send price.slow');
  });

  it('are calls of type messaging if they are events, by the conventions', async () => {
    await get('notify?count=3');
    expect(await counted('emit order.paid', 3)).toMatchObject({ type: 'messaging', errorCount: 0 });
    await until(() => handled === 3);
    await application.app.close();
    const sent = receiver.spans.find(({ name }) => name === 'emit order.paid');
    expect(sent?.kind).toBe(4);
    expect(sent?.attributes).toMatchObject({
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'order.paid',
    });
  });

  it('are sent once for each subscription, and never without one', async () => {
    const values = client.send<number>('price.of', 4);
    await sleep(30);
    expect([handled, application.operation('send price.of')]).toEqual([0, undefined]);
    expect(await Promise.all([firstValueFrom(values), firstValueFrom(values)])).toEqual([8, 8]);
    expect(handled).toBe(2);
    await counted('send price.of', 2);
  });

  it('are sent at once if they are events, whether somebody subscribes or not', async () => {
    const emitted = client.emit('order.paid', 1);
    await until(() => handled === 1);
    await lastValueFrom(emitted, { defaultValue: undefined });
    await sleep(20);
    expect(handled).toBe(1);
    await counted('emit order.paid', 1);
  });

  it('have the values and errors of their handlers', async () => {
    expect(await lastValueFrom(client.send('price.stream', {}).pipe(toArray()))).toEqual([0, 1, 2]);
    await expect(firstValueFrom(client.send('price.broken', {}))).rejects.toMatchObject({ status: 'error' });
    expect(await counted('send price.stream', 1)).toMatchObject({ errorCount: 0 });
    expect((await counted('send price.broken', 1))?.errorCount).toBe(1);
  });

  it('end with their subscription', async () => {
    await expect(firstValueFrom(client.send('price.slow', {}).pipe(timeout(20)))).rejects.toThrow('Timeout');
    const ended = await counted('send price.slow', 1);
    expect(ended?.maxDuration).toBeLessThan(60);
    expect(ended?.errorCount).toBe(0);
  });

  it('fail as before where nobody listens', async () => {
    const other = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port: 5148 },
    });
    await expect(firstValueFrom(other.send('price.of', 1))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    // An event that fails without a subscriber is dropped, as rxjs does with errors of a Subject.
    other.emit('order.paid', 1);
    expect((await counted('send price.of', 1))?.errorCount).toBe(1);
    expect((await counted('emit order.paid', 1))?.errorCount).toBe(1);
    other.close();
  });

  it('are refused as before without data, and not counted', async () => {
    await expect(firstValueFrom(client.send('price.of', undefined))).rejects.toThrow('invalid');
    await expect(firstValueFrom(client.emit(undefined, 1))).rejects.toThrow('invalid');
    expect(application.operation('send price.of')).toBeUndefined();
  });

  it('belong to the request that sends them, also after the answer to another', async () => {
    for (let n = 0; n < 3; n++) await get('chained');
    await counted('send price.slow', 3);
    await until(() => application.operation('GET /chained')?.count === 3);
    await application.app.close();
    const named = (name: string) => receiver.spans.filter((span) => span.name === name);
    const parents = named('send price.slow').map(({ traceId, parentSpanId }) => `${traceId} ${parentSpanId}`);
    expect(parents).toEqual(named('GET /chained').map(({ traceId, spanId }) => `${traceId} ${spanId}`));
  });

  it('belong to the application of the client outside of any request, where several run', async () => {
    const second = await startApplication('express', {
      imports: [ClientsModule.register([{ name: 'SERVICE', ...SERVICE } as never]) as never],
    });
    try {
      const other = second.app.get<ClientProxy>('SERVICE');
      await firstValueFrom(other.send('price.of', 1));
      await firstValueFrom(client.send('price.of', 1));
      await firstValueFrom(other.send('price.of', 1));
      await until(() => second.operation('send price.of')?.count === 2);
      expect(await counted('send price.of', 1)).toMatchObject({ errorCount: 0 });
    } finally {
      await second.app.close();
    }
  });

  it('are counted without the values in their patterns', async () => {
    for (const id of [7, 8]) client.emit(`orders.${id}.paid`, {});
    await counted('emit orders.{}.paid', 2);
  });

  it('are counted once where an instrumentation of the transport has created a span', async () => {
    class Instrumented extends ClientProxy {
      async connect(): Promise<void> {}
      close(): void {}
      unwrap(): never {
        throw new Error('unused');
      }
      protected publish(): () => void {
        return () => {};
      }
      protected async dispatchEvent(): Promise<never> {
        const attributes = { 'messaging.system': 'kafka', 'messaging.operation.name': 'publish' };
        const span = trace.getTracer('kafkajs').startSpan('publish orders', {
          kind: SpanKind.PRODUCER,
          attributes: { ...attributes, 'messaging.destination.name': 'orders' },
        });
        await sleep(2);
        span.end();
        return undefined as never;
      }
    }
    await context.with(ROOT_CONTEXT, async () => {
      const request = trace.getTracer('test').startSpan('request', { kind: SpanKind.SERVER });
      await context.with(trace.setSpan(context.active(), request), () =>
        lastValueFrom(new Instrumented().emit('orders', 1), { defaultValue: undefined }),
      );
      request.end();
    });
    await counted('publish orders', 1);
    expect(application.operation('emit orders')).toBeUndefined();
  });

  it('are not measured once the application has closed', async () => {
    expect(ClientProxy.prototype.send).not.toBe(originals['send']?.value);
    await application.app.close();
    expect(Object.getOwnPropertyDescriptors(ClientProxy.prototype)).toEqual(originals);
  });
});

describe('with instrumentation: false', () => {
  it('messages that a client sends are not measured', async () => {
    const { send } = ClientProxy.prototype;
    const application = await startApplication('express', {}, { tracing: { instrumentation: false } });
    expect(ClientProxy.prototype.send).toBe(send);
    await application.app.close();
  });
});
