// One instance of a medium-sized service: 40 routes, 30 statements, 6 other services, 20 tracked methods; one request of 50
// fails and one of 50 is slow. Arguments: the endpoint of exports, and their kind of histograms. Sends its address;
// at a message it exports the rest, ends and replies.
import 'reflect-metadata';
import { Controller, Get, Module, Param, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SpanKind, trace } from '@opentelemetry/api';
import { PerformanceModule, withPerformanceTracking } from 'nestjs-performance';

const [endpoint, histograms] = process.argv.slice(2);
const ROUTES = 40;
const STATEMENTS = 30;
const SERVICES = 6;
const METHODS = 20;
const tracer = trace.getTracer('fleet');

/** A span as an instrumentation creates it. */
function call(name, attributes) {
  tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }).end();
}

function statement(n) {
  call(`SELECT table_${n}`, {
    'db.system.name': 'postgresql',
    'db.namespace': 'shop',
    'db.operation.name': 'SELECT',
    'db.collection.name': `table_${n}`,
    'db.query.text': `SELECT id, name, price FROM table_${n} WHERE id = $1 AND deleted_at IS NULL`,
    'server.address': 'database.internal',
    'server.port': 5432,
  });
}

class ShopController {}
for (let route = 0; route < ROUTES; route++) {
  const handler = async (id, n) => {
    await withPerformanceTracking(`method_${route % METHODS}`, () => {
      for (let i = 0; i < 3; i++) statement((route + i) % STATEMENTS);
    });
    if (route % 4 === 0) {
      const service = route % SERVICES;
      call('GET', {
        'http.request.method': 'GET',
        'server.address': `service-${service}.internal`,
        'server.port': 443,
        'url.full': `https://service-${service}.internal/prices`,
        'http.response.status_code': 200,
      });
    }
    if (n % 50 === 1) await new Promise((resolve) => setTimeout(resolve, 25));
    if (n % 50 === 2) throw new Error('out of stock');
    return { id };
  };
  const { prototype } = ShopController;
  prototype[`route${route}`] = handler;
  Param('id')(prototype, `route${route}`, 0);
  Query('n')(prototype, `route${route}`, 1);
  Get(`things-${route}/:id`)(
    prototype,
    `route${route}`,
    Object.getOwnPropertyDescriptor(prototype, `route${route}`),
  );
}
Controller()(ShopController);
class ServiceModule {}
Module({
  imports: [
    PerformanceModule.forRoot({
      serviceName: 'fleet',
      serviceVersion: '1.0.0',
      httpThresholdMs: 20,
      alerts: { slos: [{ operation: 'GET /things-0/:id', objective: 0.99 }] },
      tracing: { endpoint },
      // A single export at its end.
      metrics: { histograms, intervalSeconds: 3600 },
    }),
  ],
  controllers: [ShopController],
})(ServiceModule);

const app = await NestFactory.create(ServiceModule, { logger: false });
await app.listen(0, '127.0.0.1');
process.once('message', async () => {
  await app.close();
  process.send('closed');
});
process.send({ url: `http://127.0.0.1:${app.getHttpServer().address().port}`, routes: ROUTES });
