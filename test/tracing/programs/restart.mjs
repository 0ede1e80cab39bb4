// Starts and closes an application three times in one process. Each time prints what was counted of one call to each driver,
// and what a closed application left behind. The first argument is the folder of the bundled library.

import { channel, tracingChannel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(import.meta.url);
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { trace } = require('@opentelemetry/api');
const { Redis } = require('ioredis');
const pg = require('pg');
const { PerformanceModule, PerformanceMonitorService, TrackPerformance } = require(
  `${process.argv[2]}/index.js`,
);

const GLOBALS = Symbol.for('opentelemetry.js.api.1');
const CHANNELS = ['http.server.request.start', 'undici:request:create', 'undici:request:headers'];
const patchable = () => ({
  'http.request': http.request,
  'http.get': http.get,
  'https.request': https.request,
  'http.Server.emit': http.Server.prototype.emit,
  fetch: globalThis.fetch,
  'pg.Client.query': pg.Client.prototype.query,
  'pg.Client.connect': pg.Client.prototype.connect,
  'pg.Pool.connect': pg.Pool.prototype.connect,
  ...Object.fromEntries(
    ['trace', 'context', 'propagation'].map((name) => [name, globalThis[GLOBALS]?.[name]]),
  ),
  ...Object.fromEntries(CHANNELS.map((name) => [name, channel(name).hasSubscribers])),
  'ioredis:command': tracingChannel('ioredis:command').start.hasSubscribers,
});

class Work {
  run() {}
}
const descriptor = Object.getOwnPropertyDescriptor(Work.prototype, 'run');
TrackPerformance('calculation')(Work.prototype, 'run', descriptor);
Object.defineProperty(Work.prototype, 'run', descriptor);

const target = http.createServer((_request, response) => response.end('answer')).listen(0, '127.0.0.1');
const redisServer = createServer((socket) => socket.on('data', () => socket.write('+OK\r\n'))).listen(
  0,
  '127.0.0.1',
);
await Promise.all([once(target, 'listening'), once(redisServer, 'listening')]);
const url = `http://127.0.0.1:${target.address().port}/`;
const redis = new Redis({
  port: redisServer.address().port,
  enableReadyCheck: false,
  disableClientInfo: true,
});
await once(redis, 'ready');
await (await fetch(url)).text();

const before = patchable();
const counted = [];
const leftBehind = [];
for (let round = 0; round < 3; round++) {
  class AppModule {}
  Module({ imports: [PerformanceModule.forRoot({ alerts: { enabled: false } })] })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  await new Promise((resolve) => http.get(url, (response) => response.resume().once('end', resolve)));
  await (await fetch(url)).text();
  await redis.set('key', 'value');
  await new pg.Client({ host: '127.0.0.1', port: 1 }).connect().catch(() => {});
  new Work().run();
  await sleep(30);
  const stats = app.get(PerformanceMonitorService).getStats();
  counted.push(Object.fromEntries(stats.operations.map(({ name, count }) => [name, count])));
  await app.close();
  const now = patchable();
  leftBehind.push(Object.keys(now).filter((name) => now[name] !== before[name]));
  leftBehind.push(trace.getTracer('test').startSpan('x').isRecording() ? ['a tracer'] : []);
}
process.stdout.write(`${JSON.stringify({ counted, leftBehind: leftBehind.flat() })}\n`, () =>
  process.exit(0),
);
