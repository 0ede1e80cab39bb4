// The smallest application with the module. BUILT is the folder with the bundled package.
import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const built = await import(`${process.env.BUILT}/index.js`);
export const {
  OnPerformanceAlert,
  PerformanceHealthIndicator,
  PerformanceModule,
  PerformanceMonitor,
  PerformanceMonitorService,
} = built;

/** Keeps the loop busy. */
export function spin(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Writes a line of JSON to standard output. */
export function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** A request of its own connection, which no shutdown has to wait for. @returns the body */
export async function request(url, init = {}) {
  return (await fetch(url, { ...init, headers: { ...init.headers, connection: 'close' } })).text();
}

class ShopController {
  busy() {
    spin(150);
    return 'busy';
  }
  /** Waits for so many milliseconds. */
  async slow(ms) {
    await new Promise((resolve) => setTimeout(resolve, Number(ms)));
    return 'slow';
  }
  fast(id) {
    return `${id ?? ''}`;
  }
}
const decorate = (method, ...decorators) => {
  const descriptor = Object.getOwnPropertyDescriptor(ShopController.prototype, method);
  for (const decorator of decorators) decorator(ShopController.prototype, method, descriptor);
};
decorate('busy', Get('busy'));
decorate('slow', Get('slow/:ms'));
Param('ms')(ShopController.prototype, 'slow', 0);
decorate('fast', Get('fast/:id'));
Param('id')(ShopController.prototype, 'fast', 0);
Controller()(ShopController);

/** @param parts further imports, controllers and providers */
export async function createApplication(options, parts = {}, { logger = false } = {}) {
  class AppModule {}
  Module({
    imports: [PerformanceModule.forRoot(options), ...(parts.imports ?? [])],
    controllers: [ShopController, ...(parts.controllers ?? [])],
    providers: parts.providers ?? [],
  })(AppModule);
  return NestFactory.create(AppModule, { logger, abortOnError: false });
}
