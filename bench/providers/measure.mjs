// Sends the CPU ns of a call of a provider's method within requests. Usage: node measure.mjs off|spans|counted sync|async
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { PerformanceModule } from '../../dist/modules/nest/performance.module.js';

const [variant, kind] = process.argv.slice(2);
/** A request has 50 calls with a span; one of 2,000 is nearly all of counted ones. */
const CALLS = variant === 'counted' ? 2000 : 50;
const WARM_UP = 200_000;
const MEASURED = 400_000;

class Catalog {
  sync(id) {
    return id;
  }
  async async(id) {
    return id;
  }
}

class AppModule {}
Module({
  imports: [
    PerformanceModule.forRoot({
      alerts: { enabled: false },
      tracing: { providers: variant !== 'off', instrumentation: false },
    }),
  ],
  providers: [Catalog],
})(AppModule);
const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
const catalog = app.get(Catalog);
const tracer = trace.getTracer('bench');

async function request() {
  const span = tracer.startSpan('GET /', { kind: SpanKind.SERVER });
  await context.with(trace.setSpan(context.active(), span), async () => {
    if (kind === 'sync') for (let call = 0; call < CALLS; call++) catalog.sync(call);
    else for (let call = 0; call < CALLS; call++) await catalog.async(call);
  });
  span.end();
}

async function run(calls) {
  for (let done = 0; done < calls; done += CALLS) await request();
}

await run(WARM_UP);
const before = process.cpuUsage();
await run(MEASURED);
const { user, system } = process.cpuUsage(before);
process.send(((user + system) * 1000) / MEASURED);
await app.close();
process.disconnect();
