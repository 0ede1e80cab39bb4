// An application whose GraphQL is served by one of four servers: it asks itself, and prints what was measured as JSON.
// Usage: node graphql-servers.mjs apollo|federation|mercurius|yoga express|fastify PORT
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Directive,
  Field,
  GraphQLModule,
  Int,
  Mutation,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  ResolveReference,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { SpanKind, trace } from '@opentelemetry/api';
import { PerformanceModule, PerformanceMonitorService } from 'nestjs-performance';
import { WebSocket } from 'ws';

const [server, platform, first] = process.argv.slice(2);
const port = Number(first);
const host = '127.0.0.1';
const EVENTS = 12;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function loadTracks(id) {
  const attributes = {
    'db.system.name': 'postgresql',
    'db.query.text': `SELECT * FROM track WHERE album_id = ${id}`,
  };
  const span = trace.getTracer('pg').startSpan('pg.query:SELECT', { kind: SpanKind.CLIENT, attributes });
  await sleep(1);
  span.end();
  return id;
}

/** Applies the decorators of methods, as TypeScript does. */
function decorate(type, methods) {
  for (const [name, decorators] of Object.entries(methods)) {
    const descriptor = Object.getOwnPropertyDescriptor(type.prototype, name);
    for (const decorator of decorators) decorator(type.prototype, name, descriptor);
    Object.defineProperty(type.prototype, name, descriptor);
  }
}

class Album {}
Field(() => Int)(Album.prototype, 'id');
ObjectType()(Album);
if (server === 'federation') Directive('@key(fields: "id")')(Album);

class AlbumResolver {
  albums() {
    return Array.from({ length: 12 }, (_, id) => ({ id }));
  }
  failing() {
    throw new RangeError('of the resolver');
  }
  tracks({ id }) {
    return loadTracks(id);
  }
  add() {
    return loadTracks(1);
  }
  /** One query for each event is none too many. */
  async *added() {
    for (let id = 0; id < EVENTS; id++) {
      await sleep(20);
      yield { added: await loadTracks(id) };
    }
  }
  async album({ id }) {
    return { id: await loadTracks(Number(id)) };
  }
}
Reflect.defineMetadata('design:paramtypes', [Object], AlbumResolver.prototype, 'tracks');
Parent()(AlbumResolver.prototype, 'tracks', 0);
decorate(AlbumResolver, {
  albums: [Query(() => [Album])],
  failing: [Query(() => Int, { nullable: true })],
  tracks: [ResolveField(() => Int)],
  add: [Mutation(() => Int)],
  ...(server === 'federation' ? { album: [ResolveReference()] } : { added: [Subscription(() => Int)] }),
});
Resolver(() => Album)(AlbumResolver);

async function options() {
  if (server === 'mercurius') {
    const { MercuriusDriver } = await import('@nestjs/mercurius');
    return { driver: MercuriusDriver, autoSchemaFile: true, subscription: true };
  }
  if (server === 'yoga') {
    const { YogaDriver } = await import('@graphql-yoga/nestjs');
    return { driver: YogaDriver, autoSchemaFile: true };
  }
  const { ApolloDriver, ApolloFederationDriver } = await import('@nestjs/apollo');
  return server === 'federation'
    ? { driver: ApolloFederationDriver, autoSchemaFile: { federation: 2 } }
    : { driver: ApolloDriver, autoSchemaFile: true, subscriptions: { 'graphql-ws': true } };
}

async function ask(query, variables = {}, accept = 'application/json') {
  const response = await fetch(`http://${host}:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query, variables }),
  });
  return response.text();
}

/** Subscribes by the protocol of graphql-ws, until the last event. */
function subscribe(query) {
  const socket = new WebSocket(`ws://${host}:${port}/graphql`, 'graphql-transport-ws');
  socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init' })));
  socket.on('message', (data) => {
    const { type } = JSON.parse(data);
    if (type === 'connection_ack')
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
    else if (type === 'complete') socket.close();
  });
  return new Promise((resolve) => socket.once('close', resolve));
}

async function main() {
  class AppModule {}
  Module({
    imports: [
      PerformanceModule.forRoot({
        httpThresholdMs: 150,
        alerts: { enabled: false },
        detection: { nPlusOne: { minTotalMs: 0 } },
      }),
      GraphQLModule.forRoot(await options()),
    ],
    providers: [AlbumResolver],
  })(AppModule);
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(AppModule, adapter, { logger: false });
  await app.listen(port, host);
  const monitor = app.get(PerformanceMonitorService);
  const answers = [];
  for (let round = 0; round < 3; round++) {
    answers.push(await ask('query AlbumsWithTracks { albums { id tracks } }'));
    answers.push(await ask('{ albums { id } }'));
    answers.push(await ask('{ failing }'));
    answers.push(await ask('mutation AddOne { add }'));
    if (server === 'federation')
      answers.push(
        await ask('query ($of: [_Any!]!) { _entities(representations: $of) { ... on Album { id } } }', {
          of: [{ __typename: 'Album', id: 1 }],
        }),
      );
    else if (server === 'yoga')
      answers.push(await ask('subscription Added { added }', {}, 'text/event-stream'));
    else await subscribe('subscription Added { added }');
  }
  await sleep(100);
  const operations = Object.fromEntries(
    monitor
      .getStats({ operations: 100 })
      .operations.filter(({ type }) => type === 'http')
      .map(({ name, count, errorCount }) => [name, { count, errorCount }]),
  );
  const statements = monitor.getStats({ operations: 100 }).byType.database.count;
  const findings = Object.fromEntries(
    monitor
      .getFindings({ type: 'n_plus_one' })
      .map(({ type, route, callSite }) => [route, `${type} ${callSite?.function}`]),
  );
  const slow = monitor.getSlowOperations({ type: 'http' }).map(({ name }) => name);
  const lines = `${JSON.stringify({ operations, statements, findings, slow, answers })}\n`;
  process.stdout.write(lines, () => process.exit());
}

void main();
