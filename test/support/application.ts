import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import {
  type INestApplication,
  type LoggerService,
  Module,
  type NestApplicationOptions,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { context } from '@opentelemetry/api';
import { UNTRACED } from '../../lib/async/untraced.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { PerformanceModule, type PerformanceModuleExtras } from '../../lib/nest/performance.module.js';
import { PerformanceMonitorService } from '../../lib/nest/performance-monitor.service.js';
import type { PerformanceStats } from '../../lib/report/performance-stats.js';

export type Platform = 'express' | 'fastify';
export const PLATFORMS: Platform[] = ['express', 'fastify'];

/** A running application and its address. */
export interface TestApplication {
  app: INestApplication;
  url: string;
  monitor: PerformanceMonitorService;
  logged: { level: string; message: string }[];
  operation(name: string): PerformanceStats['operations'][number] | undefined;
}

/** Keeps log messages instead of printing them. */
export class KeptLog implements LoggerService {
  readonly kept: { level: string; message: string }[] = [];
  log = (message: unknown): void => this.keep('log', message);
  warn = (message: unknown): void => this.keep('warn', message);
  error = (message: unknown): void => this.keep('error', message);
  debug = (message: unknown): void => this.keep('debug', message);
  private keep(level: string, message: unknown): void {
    this.kept.push({ level, message: String(message) });
  }
}

/** Starts a real application with the module, on a free port of the loopback interface. */
export async function startApplication(
  platform: Platform,
  parts: {
    imports?: Type[];
    controllers?: Type[];
    providers?: Type[];
    before?: (app: INestApplication) => unknown;
    /** Default: any free one. */
    port?: number;
    /** Options of Nest. */
    nest?: NestApplicationOptions | undefined;
  },
  options: PerformanceOptions & PerformanceModuleExtras = {},
): Promise<TestApplication> {
  class AppModule {}
  Module({
    imports: [
      // Other suites of this machine run at the same time.
      PerformanceModule.forRoot({ alerts: { enabled: false }, fleet: { enabled: false }, ...options }),
      ...(parts.imports ?? []),
    ],
    controllers: parts.controllers ?? [],
    providers: parts.providers ?? [],
  })(AppModule);
  const logger = new KeptLog();
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(AppModule, adapter, { ...parts.nest, logger, abortOnError: false });
  try {
    await parts.before?.(app);
    await app.listen(parts.port ?? 0, '127.0.0.1');
  } catch (error) {
    // Running requests would affect the following tests.
    await app.close();
    throw error;
  }
  const monitor = app.get(PerformanceMonitorService);
  return {
    app,
    url: `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`,
    monitor,
    logged: logger.kept,
    operation: (name) =>
      monitor.getStats({ operations: 1000 }).operations.find((candidate) => candidate.name === name),
  };
}

/** The header with a session of a caller on this machine. @param endpoint the endpoint's address */
export async function localSession(endpoint: string): Promise<{ cookie: string }> {
  const response = await fetchFromOutside(`${endpoint}/session`, { method: 'POST' });
  return { cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '' };
}

/** `fetch` without tracing, as by a client in another process: the application does not count it as an outgoing call. */
export function fetchFromOutside(url: string, init?: RequestInit): Promise<Response> {
  return context.with(UNTRACED, () => fetch(url, init));
}

/** Waits until a condition holds, for up to 5 seconds. */
export async function until(condition: () => boolean, patienceMs = 5000): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error('the condition did not come to hold');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
