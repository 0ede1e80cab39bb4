import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BadRequestException, Controller, Get, Inject, Injectable } from '@nestjs/common';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import {
  type ClientProxy,
  ClientsModule,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { Cron, Interval, ScheduleModule, Timeout } from '@nestjs/schedule';
import { SpanKind, trace } from '@opentelemetry/api';
import { interval, map, type Observable, take } from 'rxjs';
import { SlowThreshold } from '../../lib/nest/decorators/slow-threshold.decorator.js';
import { TrackPerformance } from '../../lib/nest/decorators/track-performance.decorator.js';
import { liveSpanOf } from '../../lib/spans/live-span.js';
import { fetchFromOutside, startApplication, type TestApplication, until } from '../support/application';
import { sleep } from '../support/tracing';

const rootName = (): string | undefined => liveSpanOf(trace.getActiveSpan())?.root.name;

@Injectable()
class Albums {
  /** Loads the tracks of each album by a query of its own. */
  async load(albums = 12): Promise<string | undefined> {
    for (let id = 1; id <= albums; id++) {
      const span = trace.getTracer('pg').startSpan('pg.query:SELECT', {
        kind: SpanKind.CLIENT,
        attributes: {
          'db.system.name': 'postgresql',
          'db.query.text': `SELECT * FROM track WHERE album_id = ${id}`,
        },
      });
      await sleep(1);
      span.end();
    }
    return rootName();
  }
}

@Controller('orders')
class OrdersController {
  constructor(
    @Inject(Albums) private readonly albums: Albums,
    @Inject('SERVICE') private readonly client: ClientProxy,
    @Inject(EventEmitter2) private readonly events: EventEmitter2,
  ) {}

  @Get('send/:pattern')
  send(): Observable<unknown> {
    return this.client.send('orders.sum', {});
  }

  @Get('ask')
  ask(): Observable<unknown> {
    return this.client.send({ cmd: 'broken' }, {});
  }

  @Get('stream')
  stream(): Observable<unknown> {
    return this.client.send('orders.stream', {});
  }

  @Get('emit')
  emit(): Observable<unknown> {
    return this.client.emit('orders.created', {});
  }

  @Get('event')
  async event(): Promise<unknown> {
    return this.events.emitAsync('order.paid', 7);
  }

  @Get('direct')
  direct(): Promise<unknown> {
    return this.sum();
  }

  @MessagePattern('orders.sum')
  @SlowThreshold(5)
  async sum(): Promise<unknown> {
    return this.albums.load();
  }

  @MessagePattern({ cmd: 'broken' })
  async broken(): Promise<never> {
    throw new RangeError('of the handler');
  }

  @MessagePattern('orders.stream')
  ticks(): Observable<string | undefined> {
    return interval(5).pipe(
      take(3),
      map(() => rootName()),
    );
  }

  @EventPattern('orders.created')
  async created(_order: unknown): Promise<void> {
    await this.albums.load();
  }
}

@Injectable()
class Jobs {
  static timeouts = 0;
  constructor(@Inject(Albums) private readonly albums: Albums) {}

  @Interval(50)
  tick(): Promise<unknown> {
    return this.albums.load();
  }

  @Cron('* * * * * *')
  @TrackPerformance('calculation')
  everySecond(): void {}

  @Timeout(10)
  once(): void {
    Jobs.timeouts++;
    throw new BadRequestException('of the schedule');
  }

  @OnEvent('order.paid')
  async paid(id: number): Promise<string> {
    await sleep(1);
    return `${id} in ${rootName()}`;
  }
}

const port = 5141;
const SERVICES: Record<string, MicroserviceOptions> = {
  TCP: { transport: Transport.TCP, options: { host: '127.0.0.1', port } },
  Redis: { transport: Transport.REDIS, options: { host: '127.0.0.1', port: 6379 } },
};

function answers(at: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(at, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).once('error', () => resolve(false));
  });
}

describe.each(Object.keys(SERVICES))('with messages by %s', (name) => {
  let application: TestApplication;
  let isThere = true;
  beforeEach(async () => {
    isThere = name !== 'Redis' || (await answers(6379));
    if (!isThere) {
      process.stderr.write('skipped: no Redis answers on port 6379\n');
      return;
    }
    const service = SERVICES[name] as MicroserviceOptions;
    application = await startApplication(
      'express',
      {
        imports: [
          ClientsModule.register([{ name: 'SERVICE', ...service } as never]) as never,
          EventEmitterModule.forRoot() as never,
        ],
        controllers: [OrdersController],
        providers: [Albums, Jobs],
        before: async (app) => {
          app.connectMicroservice(service);
          await app.startAllMicroservices();
        },
      },
      { detection: { nPlusOne: { minTotalMs: 0 } } },
    );
  });
  afterEach(async () => {
    if (isThere) await application.app.close();
  });

  const test = (title: string, body: () => Promise<void>): void =>
    it(title, async () => {
      if (isThere) await body();
    });
  const get = async (path: string): Promise<[number, string]> => {
    const response = await fetchFromOutside(application.url + path);
    return [response.status, await response.text()];
  };
  const operation = async (title: string, count = 1) => {
    await until(() => application.operation(title)?.count === count);
    return application.operation(title);
  };

  test('a request-response message is an operation of type rpc, named by its pattern', async () => {
    expect(await get('/orders/send/1')).toEqual([200, 'orders.sum']);
    expect(await operation('orders.sum')).toMatchObject({ type: 'rpc', count: 1, errorCount: 0 });
    expect(await operation('GET /orders/send/:pattern')).toMatchObject({ type: 'http', count: 1 });
  });

  test('it is slow by its own threshold, and explained', async () => {
    await get('/orders/send/1');
    await until(() => application.monitor.getSlowOperations({ type: 'rpc' }).length === 1);
    const [slow] = application.monitor.getSlowOperations({ type: 'rpc' });
    expect(slow).toMatchObject({
      name: 'orders.sum',
      thresholdMs: 5,
      explanation: expect.stringContaining('SELECT'),
    });
  });

  test('an error of its handler is counted', async () => {
    expect((await get('/orders/ask'))[0]).toBe(500);
    expect(await operation('{"cmd":"broken"}')).toMatchObject({ type: 'rpc', count: 1, errorCount: 1 });
  });

  test('one that answers with an Observable ends with it, and its values belong to it', async () => {
    expect(await get('/orders/stream')).toEqual([200, 'orders.stream']);
    const streamed = await operation('orders.stream');
    expect(streamed?.minDuration).toBeGreaterThan(10);
  });

  test('an event message is an operation of type messaging, named by the conventions', async () => {
    await get('/orders/emit');
    expect(await operation('process orders.created')).toMatchObject({ type: 'messaging', errorCount: 0 });
  });

  test('repeated queries in messages are found with their line', async () => {
    for (let n = 0; n < 3; n++) {
      await get('/orders/send/1');
      await get('/orders/emit');
    }
    await operation('process orders.created', 3);
    const findings = application.monitor.getFindings();
    for (const route of ['orders.sum', 'process orders.created']) {
      const found = findings.find((one) => one.route === route);
      expect(found).toMatchObject({ type: 'n_plus_one', callSite: { function: 'Albums.load' } });
    }
  });

  test('a handler that a request calls itself is part of the request', async () => {
    expect(await get('/orders/direct')).toEqual([200, 'GET /orders/direct']);
    await operation('GET /orders/direct');
    expect(application.operation('orders.sum')).toBeUndefined();
  });

  test('an event listener is an operation of the request that waits for it', async () => {
    expect(await get('/orders/event')).toEqual([200, '["7 in GET /orders/event"]']);
    expect(await operation('Jobs.paid')).toMatchObject({ type: 'event', count: 1 });
  });

  test('an event listener is the root where nothing else is', async () => {
    const [result] = (await application.app.get(EventEmitter2).emitAsync('order.paid', 8)) as string[];
    expect(result).toBe('8 in Jobs.paid');
  });
});

describe('a schedule', () => {
  let application: TestApplication;
  beforeEach(async () => {
    application = await startApplication(
      'fastify',
      { imports: [ScheduleModule.forRoot() as never], providers: [Albums, Jobs] },
      { customThresholds: { internal: 5 }, detection: { nPlusOne: { minTotalMs: 0 } } },
    );
  });
  afterEach(() => application.app.close());

  it('is an operation of its own with findings and a threshold, by default that of internal', async () => {
    await until(() => (application.operation('Jobs.tick')?.slowCount ?? 0) > 2);
    expect(application.operation('Jobs.tick')).toMatchObject({ type: 'schedule', errorCount: 0 });
    await until(() => application.monitor.getFindings().some(({ callSite }) => callSite !== undefined));
    const [found] = application.monitor.getFindings();
    expect(found).toMatchObject({ route: 'Jobs.tick', callSite: { function: 'Albums.load' } });
  });

  it('is counted for intervals, timeouts and cron jobs, with its errors, around decorated methods', async () => {
    await until(() => application.operation('Jobs.everySecond') !== undefined);
    await until(() => application.monitor.getStats().byType['calculation'] !== undefined);
    expect(application.operation('Jobs.once')).toMatchObject({ type: 'schedule', count: 1 });
    expect(Jobs.timeouts).toBeGreaterThan(0);
  });
});
