// An application with one route for each kind of work: a request does nothing, or ten pieces of one kind.
import 'reflect-metadata';
import http from 'node:http';
import { createRequire } from 'node:module';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { listenAsDatabase, listenAsHttpServer } from './servers.mjs';

/** The pieces of work of a request that does any. */
export const PIECES = 10;

/**
 * Starts the application on a free port.
 * @param framework `express` or `fastify`
 * @param ours this package, or undefined for the bare application
 * @returns its port, and how many operations this package has counted
 */
export async function start(framework, ours) {
  const Work = workController(ours, await databasePool(), await listenAsHttpServer());
  class AppModule {}
  Module({ imports: ours ? [ours.PerformanceModule.forRoot()] : [], controllers: [Work] })(AppModule);
  const app = await NestFactory.create(AppModule, await adapterOf(framework), { logger: false });
  await app.listen(0, '127.0.0.1');
  return {
    port: app.getHttpServer().address().port,
    counted: () => app.get(ours.PerformanceMonitorService).getStats().totalOperations,
  };
}

async function adapterOf(framework) {
  if (framework === 'fastify') return new (await import('@nestjs/platform-fastify')).FastifyAdapter();
  return new (await import('@nestjs/platform-express')).ExpressAdapter();
}

async function databasePool() {
  const { Pool } = createRequire(import.meta.url)('pg');
  return new Pool({
    host: '127.0.0.1',
    port: await listenAsDatabase(),
    user: 'a',
    database: 'a',
    max: 1,
    // The connection is kept, however long the machine lets the process wait.
    idleTimeoutMillis: 0,
  });
}

function workController(ours, pool, httpPort) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const tracer = trace.getTracer('application');
  class WorkController {
    nothing() {
      return { id: 1, greeting: 'Hello 1' };
    }

    async methods() {
      let sum = 0;
      for (let number = 0; number < PIECES; number++) sum += await this.method(number);
      return { sum };
    }

    async statements() {
      let sum = 0;
      for (let number = 0; number < PIECES; number++) {
        const { rows } = await pool.query('SELECT id, name FROM users WHERE id = $1', [number]);
        sum += rows.length;
      }
      return { sum };
    }

    async calls() {
      let sum = 0;
      for (let number = 0; number < PIECES; number++) sum += await this.call();
      return { sum };
    }

    spans() {
      let sum = 0;
      for (let number = 0; number < PIECES; number++) {
        sum += tracer.startActiveSpan('piece', (span) => {
          span.setAttribute('number', number);
          span.end();
          return number;
        });
      }
      return { sum };
    }

    async method(number) {
      return number;
    }

    call() {
      return new Promise((resolve, reject) => {
        const request = http.get({ host: '127.0.0.1', port: httpPort, path: '/', agent }, (response) => {
          response.resume().once('end', () => resolve(response.statusCode));
        });
        request.once('error', reject);
      });
    }
  }
  const { prototype } = WorkController;
  if (ours) decorate(ours.TrackPerformance('calculation'), prototype, 'method');
  for (const name of ['nothing', 'methods', 'statements', 'calls', 'spans'])
    decorate(Get(name), prototype, name);
  Controller()(WorkController);
  return WorkController;
}

function decorate(decorator, prototype, name) {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  Object.defineProperty(prototype, name, decorator(prototype, name, descriptor) ?? descriptor);
}
