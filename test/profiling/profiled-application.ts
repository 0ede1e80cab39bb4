import { pbkdf2Sync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get, Injectable, Query } from '@nestjs/common';
import { context, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { SlowSpanProcessor } from '../../lib/tracing/slow-span.processor.js';
import { startApplication, type TestApplication, until } from '../support/application.js';
import { sleep } from '../support/tracing.js';

@Injectable()
class Passwords {
  /** Each call is short, and all together hold the loop. */
  hash(ms: number): string {
    const end = performance.now() + ms;
    let hash = '';
    while (performance.now() < end) hash = pbkdf2Sync('password', 'salt', 500, 32, 'sha512').toString('hex');
    return hash;
  }
}

@Controller()
class WorkController {
  constructor(private readonly passwords: Passwords) {}

  @Get('burn')
  burn(@Query('ms') ms = '250'): string {
    return this.passwords.hash(Number(ms));
  }

  @Get('wait')
  async wait(): Promise<string> {
    await sleep(400);
    return 'waited';
  }
}

/** Applications of a test, with one directory of profiles, and what their spans became. */
export class ProfiledApplications {
  readonly directory = mkdtempSync(join(tmpdir(), 'profiled-'));
  private readonly running: TestApplication[] = [];
  private exporter: InMemorySpanExporter | undefined;
  private provider: NodeTracerProvider | undefined;

  /** The application's own provider, whose spans are kept. */
  collectSpans(): void {
    this.exporter = new InMemorySpanExporter();
    this.provider = new NodeTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(this.exporter), new SlowSpanProcessor()],
    });
    this.provider.register();
  }

  get spans(): ReadableSpan[] {
    return this.exporter?.getFinishedSpans() ?? [];
  }

  async start(options: PerformanceOptions = {}): Promise<TestApplication> {
    const { profiling, ...rest } = options;
    const application = await startApplication(
      'express',
      { controllers: [WorkController], providers: [Passwords] },
      {
        httpThresholdMs: 100,
        enableProfiling: true,
        profileSlowOperations: true,
        profiling: { sampler: 'inspector', directory: this.directory, cooldownSeconds: 0, ...profiling },
        ...rest,
      },
    );
    this.running.push(application);
    return application;
  }

  /** Asks for a route, and waits for what is known of it as a slow operation once its profile is, too. */
  async slow(application: TestApplication, path: string, waits = true): Promise<SlowOperation> {
    const { monitor } = application;
    const before = monitor.getSlowOperations().length;
    await (await fetch(application.url + path)).text();
    await until(() => monitor.getSlowOperations().length > before);
    const slow = monitor.getSlowOperations()[0] as SlowOperation;
    if (waits) await sleep(1500);
    return slow;
  }

  /** The slow operation as it is described once a condition holds: an update replaces it by a new object. */
  async updated(
    { monitor }: TestApplication,
    { id }: SlowOperation,
    holds = ({ topFunctions }: SlowOperation): boolean => topFunctions !== undefined,
  ): Promise<SlowOperation> {
    const current = (): SlowOperation | undefined => monitor.getSlowOperations().find((one) => one.id === id);
    await until(() => {
      const operation = current();
      return operation !== undefined && holds(operation);
    });
    return current() as SlowOperation;
  }

  async stop(application: TestApplication): Promise<void> {
    this.running.splice(this.running.indexOf(application), 1);
    await application.app.close();
  }

  async end(): Promise<void> {
    for (const application of [...this.running]) await this.stop(application);
    await this.provider?.shutdown();
    trace.disable();
    context.disable();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export const coreOf = ({ app }: TestApplication): PerformanceMonitor => app.get(PerformanceMonitor);
