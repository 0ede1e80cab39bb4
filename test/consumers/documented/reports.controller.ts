// What an application uses of the package in its classes, each in the way that first comes to mind.
import { Controller, Get, Inject, Injectable, Logger, Module, Optional } from '@nestjs/common';
import {
  OnPerformanceAlert,
  type PerformanceAlert,
  PerformanceModule,
  PerformanceMonitorService,
  SlowThreshold,
  TrackPerformance,
  verifyAlertSignature,
  withPerformanceTracking,
} from 'nestjs-performance';
import { interval, type Observable, take } from 'rxjs';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

@Injectable()
export class ReportsService {
  @TrackPerformance('calculation', 50)
  async monthly() {
    await sleep(80);
    return 1;
  }

  @TrackPerformance('calculation', 50)
  stream(): Observable<number> {
    return interval(30).pipe(take(3));
  }

  @TrackPerformance({ type: 'calculation', threshold: 50, name: undefined })
  *numbers() {
    yield 1;
    yield 2;
  }

  @TrackPerformance()
  fails(): never {
    throw new Error('no');
  }
}

@Controller('reports')
@SlowThreshold(500)
export class ReportsController {
  private readonly logger = new Logger(ReportsController.name);

  constructor(
    private readonly reports: ReportsService,
    performance: PerformanceMonitorService,
    @Optional() @Inject('PAGER') private readonly pager?: { send(text: string): void },
  ) {
    performance.findings$.subscribe(({ explanation }) => this.logger.warn(explanation));
    performance.alerts$.subscribe(({ state, summary }) => this.pager?.send(`${state}: ${summary}`));
    performance.slowOperations$.subscribe(({ name, durationMs }) =>
      this.logger.warn(`${name}: ${durationMs}`),
    );
  }

  @Get('monthly')
  monthly() {
    return this.reports.monthly();
  }

  @Get('search')
  @SlowThreshold(200)
  async search() {
    await sleep(250);
    return 'found';
  }

  @Get('heavy')
  async heavy() {
    await withPerformanceTracking('calculation', () => sleep(60), { threshold: 50, name: 'heavy' });
    return [...this.reports.numbers()];
  }

  @OnPerformanceAlert({ severity: 'warning', state: 'firing' })
  async page(alert: PerformanceAlert) {
    this.logger.warn(alert.summary);
  }

  isFromTheApplication(header: string | string[] | undefined, body: string): boolean {
    return verifyAlertSignature(process.env.HOOK_SECRET ?? '', header, body);
  }
}

/** Every option that may come from the environment, as it comes from there. */
@Module({
  imports: [
    PerformanceModule.forRoot({
      serviceName: process.env.NAME,
      serviceVersion: process.env.VERSION,
      hostName: process.env.HOST,
      tracing: { endpoint: process.env.OTLP, sampling: undefined },
      metrics: { endpoint: process.env.OTLP_METRICS },
      profiling: {
        directory: process.env.PROFILES,
        pyroscope: { url: process.env.PYROSCOPE, authToken: process.env.TOKEN, tenantId: process.env.TENANT },
      },
      baseline: { directory: process.env.BASELINES, store: undefined },
      alerts: {
        rules: [{ kind: 'error_rate', threshold: 2, operation: process.env.OPERATION, labels: undefined }],
        slos: [{ operation: 'GET /reports', objective: 0.99, name: process.env.OBJECTIVE }],
        silences: [{ rule: process.env.SILENCED, until: process.env.SILENCED_UNTIL }],
        notifiers: {
          webhook: { url: 'https://hooks.example.com', secret: process.env.HOOK_SECRET },
          alertmanager: { url: 'http://alertmanager:9093', token: process.env.ALERTMANAGER_TOKEN },
        },
      },
      endpoint: {
        token: process.env.ENDPOINT_TOKEN,
        authorize: (request: { user?: { role: string } }) => request.user?.role === 'ops',
      },
      endpointPath: process.env.ENDPOINT_PATH,
    }),
    PerformanceModule.forRootAsync({ useFactory: () => ({ serviceName: process.env.NAME }) }),
  ],
  controllers: [ReportsController],
  providers: [ReportsService],
})
export class ReportsModule {}
