import {
  ConfigurableModuleBuilder,
  type DynamicModule,
  Inject,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { APP_INTERCEPTOR, DiscoveryModule, HttpAdapterHost } from '@nestjs/core';
import { Deadline, SHUTDOWN_MS } from '../async/deadline.js';
import { reasonOf } from '../async/thrown.js';
import { PageFiles } from '../dashboard/page-files.js';
import { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { driverTable } from '../operation/driver-status.js';
import { ResourceSampler } from '../process/resource-sampler.js';
import { HttpServerTracer } from '../tracing/http-server.tracer.js';
import { SlowSpanProcessor } from '../tracing/slow-span.processor.js';
import { type RunningMetrics, startMetrics } from '../tracing/start-metrics.js';
import { acquireTracing, type Tracing } from '../tracing/tracer-provider.js';
import { AlertListeners } from './decorators/alert-listeners.js';
import { CodeOwners } from './decorators/code-owners.js';
import { EndpointGuard } from './endpoint/endpoint.guard.js';
import { EndpointAccess } from './endpoint/endpoint-access.js';
import { EndpointControllers } from './endpoint/endpoint-controllers.js';
import { DEFAULT_PATH, ENDPOINT_PATH, endpointPathOf } from './endpoint/endpoint-path.js';
import { EndpointRoutes } from './endpoint/endpoint-routes.js';
import { HandlerWrapping } from './handlers/handler-wrapping.js';
import { ProviderWrapping } from './handlers/provider-wrapping.js';
import { PerformanceHealthIndicator } from './health/performance.health.js';
import { correlateLogs } from './log-correlation.js';
import { keepLogLines } from './log-lines.js';
import { MessageTracing } from './messages/message-tracing.js';
import {
  type PerformanceOptions,
  type ResolvedModuleOptions,
  resolveModuleOptions,
} from './module-options.js';
import { PerformanceInterceptor } from './performance.interceptor.js';
import { PerformanceMonitorService } from './performance-monitor.service.js';
import { RESOLVED_OPTIONS, TRACER_PROVIDER, TRACING } from './tokens.js';

/** Options of the module definition, which are needed before a factory can provide the other options. */
export interface PerformanceModuleExtras {
  /** Whether the providers are injectable in all modules. Default true. */
  isGlobal?: boolean | undefined;
  /** The path of the endpoint. Default `performance`. */
  endpointPath?: string | undefined;
}

/** The builder separates these properties from the options. */
const EXTRAS = { isGlobal: true, endpointPath: DEFAULT_PATH } as const satisfies PerformanceModuleExtras;

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<PerformanceOptions>({ moduleName: 'Performance' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createPerformanceOptions')
    .setExtras<PerformanceModuleExtras>(EXTRAS, (definition, extras) => ({
      ...definition,
      global: extras.isGlobal ?? EXTRAS.isGlobal,
      providers: [
        ...(definition.providers ?? []),
        { provide: ENDPOINT_PATH, useValue: endpointPathOf(extras.endpointPath ?? EXTRAS.endpointPath) },
      ],
    }))
    .build();

const logger = new Logger('PerformanceModule');

/** Connects the logs early, as some messages precede the start of the application. */
function withLog(monitor: PerformanceMonitor): PerformanceMonitor {
  monitor.failures.warn = (message) => logger.warn(message);
  monitor.profiling.warn = (message) => logger.warn(message);
  monitor.overhead.log = (message) => logger.warn(message);
  monitor.longTerm.warn = (message) => logger.warn(message);
  monitor.fleet.warn = (message) => logger.warn(message);
  monitor.alerting.log = (level, message) => logger[level](message);
  return monitor;
}

/** An adapter may be one of the application. */
function attempt(fault: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    logger.warn(`The adapter cannot be measured, so ${fault}: ${reasonOf(error)}`);
  }
}

/** Created with the providers, before the application mounts middleware. */
function createHttpTracer(
  { http, tracing: { trustIncomingBaggage } }: ResolvedModuleOptions,
  { sink }: PerformanceMonitor,
  { isApplicationProvider }: Tracing,
  { httpAdapter }: HttpAdapterHost,
): HttpServerTracer {
  const tracer = new HttpServerTracer(sink, http, !isApplicationProvider, trustIncomingBaggage);
  // Modules of Express mount on its application, those of Fastify by the adapter.
  if (httpAdapter)
    attempt('mounted middleware is not named', () =>
      tracer.watchMounts(httpAdapter.getType() === 'express' ? httpAdapter.getInstance() : httpAdapter),
    );
  return tracer;
}

const providers: Provider[] = [
  {
    provide: RESOLVED_OPTIONS,
    inject: [MODULE_OPTIONS_TOKEN],
    useFactory: (options: PerformanceOptions) => resolveModuleOptions(options, process.env),
  },
  {
    provide: PerformanceMonitor,
    inject: [RESOLVED_OPTIONS],
    useFactory: (options: ResolvedModuleOptions) =>
      withLog(options.monitor ?? new PerformanceMonitor(options, false)),
  },
  {
    provide: ResourceSampler,
    inject: [PerformanceMonitor],
    useFactory: (monitor: PerformanceMonitor) => monitor.resources,
  },
  {
    provide: TRACING,
    inject: [RESOLVED_OPTIONS, PerformanceMonitor],
    useFactory: (options: ResolvedModuleOptions, monitor: PerformanceMonitor) =>
      options.enabled ? acquireTracing(options, monitor, logger) : undefined,
  },
  {
    provide: TRACER_PROVIDER,
    inject: [TRACING],
    useFactory: (tracing: Tracing | undefined) => tracing?.provider,
  },
  {
    provide: SlowSpanProcessor,
    inject: [TRACING],
    useFactory: (tracing: Tracing | undefined) => tracing?.processor,
  },
  {
    provide: HttpServerTracer,
    inject: [RESOLVED_OPTIONS, PerformanceMonitor, TRACING, HttpAdapterHost],
    useFactory: (
      options: ResolvedModuleOptions,
      monitor: PerformanceMonitor,
      tracing: Tracing | undefined,
      host: HttpAdapterHost,
    ) => tracing && createHttpTracer(options, monitor, tracing, host),
  },
  PerformanceMonitorService,
  AlertListeners,
  CodeOwners,
  PerformanceHealthIndicator,
  PerformanceInterceptor,
  HandlerWrapping,
  MessageTracing,
  ProviderWrapping,
  EndpointAccess,
  EndpointGuard,
  EndpointControllers,
  EndpointRoutes,
  { provide: PageFiles, useFactory: () => new PageFiles() },
  {
    provide: APP_INTERCEPTOR,
    inject: [RESOLVED_OPTIONS, PerformanceInterceptor],
    useFactory: ({ http }: ResolvedModuleOptions, interceptor: PerformanceInterceptor) =>
      http.interceptor ? interceptor : undefined,
  },
];

/**
 * Finds slow operations in the application that imports it. Add it to the root module:
 * `imports: [PerformanceModule.forRoot()]`.
 */
@Module({
  imports: [DiscoveryModule],
  providers,
  exports: [
    PerformanceMonitor,
    PerformanceMonitorService,
    PerformanceHealthIndicator,
    PerformanceInterceptor,
    ResourceSampler,
    SlowSpanProcessor,
    TRACER_PROVIDER,
    RESOLVED_OPTIONS,
  ],
})
export class PerformanceModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown
{
  private metrics: RunningMetrics | undefined;
  private readonly endLogging: (() => void)[] = [];

  /** @internal */
  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedModuleOptions,
    @Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor,
    @Inject(TRACING) private readonly tracing: Tracing | undefined,
    @Inject(HttpServerTracer) private readonly http: HttpServerTracer | undefined,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
    @Inject(EndpointRoutes) private readonly endpointRoutes: EndpointRoutes,
  ) {
    super();
  }

  /**
   * @param options may include `isGlobal` and `endpointPath`
   * @throws {@link PerformanceOptionsError} at the creation of the application, with all invalid options and environment
   * variables
   */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** As {@link forRoot}, with options from a factory, a class with `createPerformanceOptions()`, or a provider. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }

  /** Timers start here: a module that is only compiled, as in unit tests, leaves nothing running. */
  onModuleInit(): void {
    if (this.options.monitor === undefined) this.monitor.start();
    const { correlate, keep } = this.options.logging;
    if (this.tracing !== undefined && correlate) this.endLogging.push(correlateLogs());
    if (this.tracing !== undefined && keep !== false) this.endLogging.push(keepLogLines());
    this.tracing?.start();
    attempt('requests are not counted', () => {
      const server = this.adapterHost.httpAdapter?.getHttpServer?.();
      if (server === undefined || server === null) return;
      this.http?.attach(server);
      this.http?.attachFramework(this.adapterHost.httpAdapter.getInstance());
    });
    if (this.options.enabled && this.options.endpoint.enabled) this.endpointRoutes.register();
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.tracing === undefined) return;
    this.tracing.drivers.refresh();
    this.monitor.watchEventLoop();
    this.monitor.drivers = this.tracing.drivers.statuses();
    logger.debug(driverTable(this.monitor.drivers));
    const { endpoint, production } = this.options;
    const { enableProfiling, profileSlowOperations } = this.monitor.options;
    if (profileSlowOperations && !enableProfiling) {
      logger.warn(
        'profileSlowOperations requires enableProfiling: true. No profiles of slow operations are captured.',
      );
    }
    await this.monitor.profiling.start();
    const refused = [...this.tracing.refused, ...this.monitor.profiling.refused];
    if (refused.length > 0) {
      logger.warn(
        `These options do not apply, because they concern the whole process, and another module determined them first: ${refused.join(', ')}. Give all modules the same values.`,
      );
    }
    this.metrics = await startMetrics(this.options, this.monitor, logger).catch((error: unknown) => {
      // A failure of the export must not stop the application.
      logger.warn(`Metrics are not exported: ${reasonOf(error)}`);
      return undefined;
    });
    const { token, authorize, guards } = endpoint;
    if (production && endpoint.enabled && (token ?? authorize ?? guards) === undefined) {
      logger.log(
        'The endpoint is closed in production. Set endpoint.token, endpoint.authorize or endpoint.guards to open it.',
      );
    }
  }

  async onApplicationShutdown(): Promise<void> {
    this.http?.detach();
    for (const end of this.endLogging.splice(0)) end();
    const deadline = new Deadline(SHUTDOWN_MS);
    const ownsMonitor = this.options.monitor === undefined;
    // The last profiles belong to slow operations whose listeners are still there. A slow disk leaves time for the rest.
    if (ownsMonitor) await this.monitor.profiling.finish(new Deadline(SHUTDOWN_MS / 2));
    // At the same time: one that does not answer takes no time from the others.
    await Promise.all([
      this.metrics?.shutdown(deadline),
      this.tracing?.release(deadline),
      ownsMonitor ? this.monitor.shutdownUntil(deadline) : undefined,
    ]);
  }
}
