// The measured server: VARIANT is `bare`, `opentelemetry` or `ours`, then the address of a Postgres. GET /statements/:count runs
// that many quick queries, one after the other. Sends its address, and at each message its CPU time and how many queries its
// tracing counted.
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';

const [variant, database] = process.argv.slice(2);
const require = createRequire(import.meta.url);

/** A common set-up: the instrumentations, the SDK and a batch processor. */
async function startOpenTelemetry() {
  const { HttpInstrumentation } = await import('@opentelemetry/instrumentation-http');
  const { PgInstrumentation } = await import('@opentelemetry/instrumentation-pg');
  const { BatchSpanProcessor, NodeTracerProvider } = await import('@opentelemetry/sdk-trace-node');
  let queries = 0;
  // Drops the spans: measures the cost without encoding and sending.
  const exporter = {
    export(spans, done) {
      for (const { name } of spans) if (name.startsWith('pg.query')) queries++;
      done({ code: 0 });
    },
    shutdown: async () => {},
  };
  // A queue of the default size drops most spans of a request with many queries, and their cost.
  const processor = new BatchSpanProcessor(exporter, { maxQueueSize: 100_000 });
  const provider = new NodeTracerProvider({ spanProcessors: [processor] });
  provider.register();
  for (const instrumentation of [new HttpInstrumentation(), new PgInstrumentation()])
    instrumentation.setTracerProvider(provider);
  require('node:http');
  return () => queries;
}

let seen = variant === 'opentelemetry' ? await startOpenTelemetry() : () => 0;
const pg = require('pg');
const pool = new pg.Pool({ connectionString: database, max: 4 });

class StatementsController {
  async run(count) {
    let sum = 0;
    for (let number = 0; number < Number(count); number++) {
      const { rows } = await pool.query('SELECT $1::int AS id, $2::text AS name', [number, 'a name']);
      sum += rows[0].id;
    }
    return { sum };
  }
}
const { prototype } = StatementsController;
Param('count')(prototype, 'run', 0);
Get(':count')(prototype, 'run', Object.getOwnPropertyDescriptor(prototype, 'run'));
Controller('statements')(StatementsController);

const imports = [];
if (variant === 'ours') {
  const { PerformanceModule, getPerformanceMonitor } = await import('nestjs-performance');
  imports.push(PerformanceModule.forRoot({}));
  seen = () => getPerformanceMonitor().getStats().byType.database?.count ?? 0;
}
class AppModule {}
Module({ imports, controllers: [StatementsController] })(AppModule);
const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');

process.on('message', async () => {
  // Spans that wait for their batch are part of the cost.
  await trace.getTracerProvider().getDelegate?.().forceFlush?.();
  const { user, system } = process.cpuUsage();
  process.send({ cpuUs: user + system, seen: seen() });
});
process.on('SIGINT', () => process.exit());
process.send(`http://127.0.0.1:${app.getHttpServer().address().port}/statements`);
