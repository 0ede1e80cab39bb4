// A server that does as many pieces of work as a request asks for, one after the other. GET /work/:count. Sends its address, and at
// each message its CPU time, or how many pieces its tracing counted.
import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';

/**
 * A common set-up of OpenTelemetry: instrumentations, the SDK and a batch processor.
 * @param isPiece whether a span is one of a piece of work
 * @returns how many of them there were
 */
export async function startOpenTelemetry(instrumentations, isPiece) {
  const { BatchSpanProcessor, NodeTracerProvider } = await import('@opentelemetry/sdk-trace-node');
  let pieces = 0;
  // Drops the spans: measures the cost without encoding and sending.
  const exporter = {
    export(spans, done) {
      for (const span of spans) if (isPiece(span)) pieces++;
      done({ code: 0 });
    },
    shutdown: async () => {},
  };
  // A queue of the default size drops most spans of a request with much work, and their cost.
  const processor = new BatchSpanProcessor(exporter, { maxQueueSize: 100_000 });
  const provider = new NodeTracerProvider({ spanProcessors: [processor] });
  provider.register();
  for (const instrumentation of instrumentations) instrumentation.setTracerProvider(provider);
  return () => pieces;
}

/**
 * @param variant `bare`, `opentelemetry` or `ours`
 * @param work does one piece
 * @param type that of the pieces, as this package counts them
 * @param seen how many pieces OpenTelemetry counted
 */
export async function serveWork({ variant, work, type, seen = () => 0 }) {
  class WorkController {
    async run(count) {
      let sum = 0;
      for (let number = 0; number < Number(count); number++) sum += await work(number);
      return { sum };
    }
  }
  const { prototype } = WorkController;
  Param('count')(prototype, 'run', 0);
  Get(':count')(prototype, 'run', Object.getOwnPropertyDescriptor(prototype, 'run'));
  Controller('work')(WorkController);

  const imports = [];
  let counted = seen;
  if (variant === 'ours') {
    const { PerformanceModule, getPerformanceMonitor } = await import('nestjs-performance');
    imports.push(PerformanceModule.forRoot({}));
    counted = () => getPerformanceMonitor().getStats().byType[type]?.count ?? 0;
  }
  class AppModule {}
  Module({ imports, controllers: [WorkController] })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');

  process.on('message', async (asked) => {
    // Spans that wait for their batch are part of the cost, reading statistics is none.
    await trace.getTracerProvider().getDelegate?.().forceFlush?.();
    process.send(asked === 'seen' ? counted() : process.cpuUsage());
  });
  process.on('SIGINT', () => process.exit());
  process.send(`http://127.0.0.1:${app.getHttpServer().address().port}/work`);
}
