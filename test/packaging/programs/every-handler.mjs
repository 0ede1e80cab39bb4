// An application with every kind of handler, which calls them all and prints what was measured as JSON.
// Usage: node every-handler.mjs express|fastify PORT [nats] [redis] [rabbitmq] [mqtt] [kafka=PORT]
import 'reflect-metadata';
import { ApolloDriver } from '@nestjs/apollo';
import { BullModule, getQueueToken, Processor, WorkerHost } from '@nestjs/bullmq';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  CommandBus,
  CommandHandler,
  CqrsModule,
  EventBus,
  EventsHandler,
  QueryBus,
  QueryHandler,
} from '@nestjs/cqrs';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { GraphQLModule, Int, Query, Resolver } from '@nestjs/graphql';
import { ClientsModule, EventPattern, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { Interval, ScheduleModule } from '@nestjs/schedule';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { SpanKind, trace } from '@opentelemetry/api';
import { PerformanceModule, PerformanceMonitorService } from 'nestjs-performance';
import { firstValueFrom } from 'rxjs';
import { WebSocket } from 'ws';

const [platform, first, ...services] = process.argv.slice(2);
const port = Number(first);
const host = '127.0.0.1';
const has = (service) => services.includes(service);
const kafkaPort = services.find((service) => service.startsWith('kafka='))?.slice('kafka='.length);
// Other runs use the same servers. Digits would be values in the patterns of messages.
const unique = `every-handler-${String(process.pid).replace(/\d/g, (digit) => 'abcdefghij'[digit])}`;

const TRANSPORTS = {
  tcp: { transport: Transport.TCP, options: { host, port: port + 1 } },
  ...(has('redis') && { redis: { transport: Transport.REDIS, options: { host, port: 6379 } } }),
  ...(has('nats') && { nats: { transport: Transport.NATS, options: { servers: [`nats://${host}:4222`] } } }),
  ...(has('rabbitmq') && {
    rabbitmq: {
      transport: Transport.RMQ,
      options: {
        urls: [`amqp://${host}:5672`],
        queue: unique,
        queueOptions: { durable: false, autoDelete: true },
      },
    },
  }),
  ...(has('mqtt') && {
    mqtt: { transport: Transport.MQTT, options: { url: `mqtt://${host}:1883`, protocolVersion: 5 } },
  }),
  ...(kafkaPort && {
    kafka: {
      transport: Transport.KAFKA,
      options: {
        client: { clientId: unique, brokers: [`${host}:${kafkaPort}`] },
        consumer: { groupId: unique },
        subscribe: { fromBeginning: true },
      },
    },
  }),
};
const transports = Object.keys(TRANSPORTS);
/** By transport: the traces of a request, and of the handlers of the messages that it sent. */
const traces = {};
/** The traces that jobs are linked to, and that of the request which added them. */
const jobs = { linked: [], request: undefined };
const traceId = () => trace.getActiveSpan()?.spanContext().traceId;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Loads the tracks of each album by a query of its own. */
async function loadTracks() {
  for (let id = 1; id <= 12; id++) {
    const attributes = {
      'db.system.name': 'postgresql',
      'db.query.text': `SELECT * FROM track WHERE album_id = ${id}`,
    };
    const span = trace.getTracer('pg').startSpan('pg.query:SELECT', { kind: SpanKind.CLIENT, attributes });
    await sleep(1);
    span.end();
  }
  return 12;
}

/** Applies the decorators of methods, as TypeScript does. */
function decorate(type, methods) {
  for (const [name, decorators] of Object.entries(methods)) {
    const descriptor = Object.getOwnPropertyDescriptor(type.prototype, name);
    for (const decorator of decorators) decorator(type.prototype, name, descriptor);
    Object.defineProperty(type.prototype, name, descriptor);
  }
}

class AppController {
  route = () => 'a property, no handler';
  find() {
    return loadTracks();
  }
  broken() {
    throw new RangeError('of the handler');
  }
  sum() {
    return loadTracks();
  }
  async created() {
    await loadTracks();
  }
  async messages() {
    for (const name of transports) {
      traces[name] = { request: traceId() };
      traces[name].rpc = await firstValueFrom(app.get(name).send(`${unique}.trace`, { name }));
      await firstValueFrom(app.get(name).emit(`${unique}.traced`, { name }), { defaultValue: undefined });
    }
  }
  async addJob() {
    jobs.request = traceId();
    await queue.add('linked', {});
  }
  async trace() {
    return traceId();
  }
  async traced({ name }) {
    traces[name].event = traceId();
  }
}
Payload()(AppController.prototype, 'trace', 0);
decorate(AppController, {
  find: [Get('albums')],
  broken: [Get('broken')],
  sum: [MessagePattern(`${unique}.sum`)],
  created: [EventPattern(`${unique}.created`)],
  messages: [Get('messages')],
  addJob: [Get('job')],
  trace: [MessagePattern(`${unique}.trace`)],
  traced: [EventPattern(`${unique}.traced`)],
});
Controller()(AppController);

class Gateway {
  message() {
    return loadTracks().then((data) => ({ event: 'answer', data }));
  }
}
decorate(Gateway, { message: [SubscribeMessage('message')] });
WebSocketGateway(port + 2)(Gateway);

class Schedules {
  tick() {
    return loadTracks();
  }
  paid() {
    return loadTracks();
  }
}
decorate(Schedules, { tick: [Interval(100)], paid: [OnEvent('order.paid')] });

class PlaceOrder {}
class CountOrders {}
class OrderPlaced {}
class PlaceOrderHandler {
  execute() {
    return loadTracks();
  }
}
CommandHandler(PlaceOrder)(PlaceOrderHandler);
class CountOrdersHandler {
  execute() {
    return loadTracks();
  }
}
QueryHandler(CountOrders)(CountOrdersHandler);
class OrderPlacedHandler {
  handle() {
    return loadTracks();
  }
}
EventsHandler(OrderPlaced)(OrderPlacedHandler);

class AlbumsResolver {
  albums() {
    return loadTracks();
  }
  failing() {
    throw new RangeError('of the resolver');
  }
}
decorate(AlbumsResolver, {
  albums: [Query(() => Int)],
  failing: [Query(() => Int, { nullable: true })],
});
Resolver()(AlbumsResolver);

class Jobs extends WorkerHost {
  process({ name }) {
    if (name === 'linked')
      jobs.linked.push(...trace.getActiveSpan().links.map((link) => link.context.traceId));
    return loadTracks();
  }
}
Processor(unique)(Jobs);

class AppModule {}
Module({
  imports: [
    PerformanceModule.forRoot({ alerts: { enabled: false }, detection: { nPlusOne: { minTotalMs: 0 } } }),
    GraphQLModule.forRoot({ driver: ApolloDriver, autoSchemaFile: true }),
    ScheduleModule.forRoot(),
    EventEmitterModule.forRoot(),
    CqrsModule.forRoot(),
    ClientsModule.register(Object.entries(TRANSPORTS).map(([name, options]) => ({ name, ...options }))),
    ...(has('redis')
      ? [BullModule.forRoot({ connection: { host, port: 6379 } }), BullModule.registerQueue({ name: unique })]
      : []),
  ],
  controllers: [AppController],
  providers: [
    Gateway,
    Schedules,
    PlaceOrderHandler,
    CountOrdersHandler,
    OrderPlacedHandler,
    AlbumsResolver,
    ...(has('redis') ? [Jobs] : []),
  ],
})(AppModule);

let app;
let queue;
const url = `http://${host}:${port}`;
const ask = async (query) => {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  };
  await (await fetch(`${url}/graphql`, init)).text();
};
async function main() {
  app = await NestFactory.create(
    AppModule,
    platform === 'express' ? new ExpressAdapter() : new FastifyAdapter(),
    { logger: ['warn'] },
  );
  app.useWebSocketAdapter(new WsAdapter(app));
  for (const options of Object.values(TRANSPORTS)) app.connectMicroservice(options);
  await app.startAllMicroservices();
  await app.listen(port, host);
  const monitor = app.get(PerformanceMonitorService);
  queue = has('redis') ? app.get(getQueueToken(unique)) : undefined;
  if (kafkaPort) {
    // Answers come by topics of their own.
    for (const pattern of ['sum', 'trace']) app.get('kafka').subscribeToResponseOf(`${unique}.${pattern}`);
    await app.get('kafka').connect();
  }
  // The second time, the line of what is repeated is known.
  for (let round = 0; round < 3; round++) {
    await (await fetch(`${url}/albums`)).text();
    await (await fetch(`${url}/broken`)).text();
    for (const name of transports) {
      await firstValueFrom(app.get(name).send(`${unique}.sum`, {}));
      await firstValueFrom(app.get(name).emit(`${unique}.created`, {}), { defaultValue: undefined });
    }
    const socket = new WebSocket(`ws://${host}:${port + 2}`);
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(JSON.stringify({ event: 'message', data: 1 }));
    await new Promise((resolve) => socket.once('message', resolve));
    socket.close();
    await app.get(EventEmitter2).emitAsync('order.paid', 1);
    await app.get(CommandBus).execute(new PlaceOrder());
    await app.get(QueryBus).execute(new CountOrders());
    app.get(EventBus).publish(new OrderPlaced());
    await ask('query AllAlbums { albums }');
    await ask('{ failing }');
    await queue?.add('welcome', {});
    await sleep(150);
  }
  await (await fetch(`${url}/messages`)).text();
  if (queue) await (await fetch(`${url}/job`)).text();
  await sleep(300);
  const named = (name) => name.replaceAll(unique, 'UNIQUE');
  const operations = Object.fromEntries(
    monitor
      .getStats({ operations: 1000 })
      .operations.map(({ type, name, count, errorCount }) => [
        `${type} ${named(name)}`,
        { count, errorCount },
      ]),
  );
  const findings = Object.fromEntries(
    monitor
      .getFindings({ type: 'n_plus_one' })
      .map(({ type, route, callSite }) => [named(route), `${type} ${callSite?.function}`]),
  );
  process.stdout.write(`${JSON.stringify({ operations, findings, traces, jobs })}\n`, () => process.exit());
}

void main();
