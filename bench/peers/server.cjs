// The measured server, in a folder with Nest and the peer installed: PEER, then the address that it may send to. Sends its address,
// and at each message its CPU time. CommonJS, whose modules all peers can instrument.
require('reflect-metadata');
const [peer, receiver] = process.argv.slice(2);

/** What each peer's own documentation says: before Nest is loaded, modules to import, options and middleware of the application. */
const SET_UPS = {
  bare: () => ({}),
  'nestjs-performance'() {
    const { PerformanceModule } = require('nestjs-performance');
    return { imports: [PerformanceModule.forRoot()] };
  },
  opentelemetry() {
    startOpenTelemetry();
    return {};
  },
  'nestjs-otel'() {
    startOpenTelemetry();
    const { OpenTelemetryModule } = require('nestjs-otel');
    return {
      imports: [
        OpenTelemetryModule.forRoot({ metrics: { hostMetrics: true, apiMetrics: { enable: true } } }),
      ],
    };
  },
  'swagger-stats'() {
    return { middleware: require('swagger-stats').getMiddleware({}) };
  },
  '@nestjs/observe'() {
    const { ObserveModule, ObserveInstrument } = require('@nestjs/observe').createObserveModule();
    const keys = { appKey: 'key', appSecret: 'secret', serviceId: 'bench', endpoint: receiver };
    return { imports: [ObserveModule.forRoot(keys)], options: { instrument: ObserveInstrument } };
  },
  'dd-trace'() {
    require('dd-trace').init({ url: receiver, startupLogs: false });
    return {};
  },
  '@sentry/nestjs'() {
    const sentry = require('@sentry/nestjs');
    sentry.init({ dsn: `${receiver.replace('//', '//key@')}/1`, tracesSampleRate: 1 });
    return { imports: [require('@sentry/nestjs/setup').SentryModule.forRoot()] };
  },
};

/** The HTTP instrumentation, the SDK and a batch processor whose exporter drops the spans. */
function startOpenTelemetry() {
  const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
  const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');
  const exporter = { export: (_spans, done) => done({ code: 0 }), shutdown: async () => {} };
  const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  provider.register();
  new HttpInstrumentation().setTracerProvider(provider);
  require('node:http');
}

async function start() {
  const { imports = [], options = {}, middleware } = SET_UPS[peer]();
  const { Controller, Get, Module, Param } = require('@nestjs/common');
  const { NestFactory } = require('@nestjs/core');
  class GreetingController {
    greet(id) {
      return { id, greeting: `Hello ${id}` };
    }
  }
  const { prototype } = GreetingController;
  Param('id')(prototype, 'greet', 0);
  Get(':id')(prototype, 'greet', Object.getOwnPropertyDescriptor(prototype, 'greet'));
  Controller('greetings')(GreetingController);
  class AppModule {}
  Module({ imports, controllers: [GreetingController] })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false, ...options });
  if (middleware !== undefined) app.use(middleware);
  await app.listen(0, '127.0.0.1');
  process.on('message', () => process.send(process.cpuUsage()));
  process.send(`http://127.0.0.1:${app.getHttpServer().address().port}/greetings/1`);
}

start();
