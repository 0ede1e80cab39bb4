import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Test } from '@nestjs/testing';
import {
  getPerformanceMonitor,
  getPerformanceStats,
  PerformanceModule,
  PerformanceMonitor,
  type PerformanceOptions,
} from '../../lib/index.js';
import { startApplication } from '../support/application.js';

const NOT_ENABLED = new Error('Performance monitoring is not enabled');

describe('getPerformanceMonitor and getPerformanceStats', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function start(
    options: PerformanceOptions = {},
  ): Promise<{ monitor: PerformanceMonitor; close: () => Promise<void> }> {
    const { app } = await startApplication('express', {}, options);
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => (closed ??= app.close());
    closing.push(close);
    return { monitor: app.get(PerformanceMonitor), close };
  }

  function expectNone(): void {
    expect(getPerformanceMonitor).toThrow(NOT_ENABLED);
    expect(() => getPerformanceStats()).toThrow(NOT_ENABLED);
  }

  it('throw without a module, and after its application has closed', async () => {
    expectNone();
    const { monitor, close } = await start();
    expect(getPerformanceMonitor()).toBe(monitor);
    monitor.record({ type: 'http', name: 'GET /a', durationMs: 5, thresholdMs: 1, error: false });
    expect(getPerformanceStats()).toMatchObject({ totalOperations: 1, totalSlowOperations: 1 });
    expect(getPerformanceStats({ operations: 0 }).operations).toEqual([]);
    await close();
    expectNone();
  });

  it('work as soon as the module is created, before it is initialized', async () => {
    const testing = await Test.createTestingModule({ imports: [PerformanceModule.forRoot()] }).compile();
    closing.push(() => testing.close());
    expect(getPerformanceMonitor()).toBe(testing.get(PerformanceMonitor));
  });

  it('throw for a module that is not enabled', async () => {
    await start({ enabled: false });
    expectNone();
  });

  it('return the newest running application, in whatever order they close', async () => {
    const [first, second, third] = [await start(), await start(), await start()];
    await start({ enabled: false });
    expect(getPerformanceMonitor()).toBe(third.monitor);
    await second.close();
    expect(getPerformanceMonitor()).toBe(third.monitor);
    await third.close();
    expect(getPerformanceMonitor()).toBe(first.monitor);
    await first.close();
    expectNone();
  });

  it('return a monitor that two applications share until both have closed', async () => {
    const monitor = new PerformanceMonitor({ alerts: { enabled: false } });
    closing.push(() => monitor.shutdown());
    const [first, between, second] = [await start({ monitor }), await start(), await start({ monitor })];
    expect(getPerformanceMonitor()).toBe(monitor);
    await second.close();
    expect(getPerformanceMonitor()).toBe(between.monitor);
    await between.close();
    expect(getPerformanceMonitor()).toBe(monitor);
    await first.close();
    expectNone();
  });

  it('do not retain an application that has closed', async () => {
    const released = await (async () => {
      const { app } = await startApplication('express', {});
      const held = new WeakRef(app.get(PerformanceMonitor));
      await app.close();
      return held;
    })();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let i = 0; i < 50 && released.deref() !== undefined; i++) {
      await sleep(20);
      collect();
    }
    expect(released.deref()).toBeUndefined();
  });

  it('find the module of another copy of the package', async () => {
    const { monitor } = await start();
    jest.isolateModules(() => {
      const copy = require('../../lib/index.js') as typeof import('../../lib/index.js');
      expect(copy.getPerformanceMonitor).not.toBe(getPerformanceMonitor);
      expect(copy.getPerformanceMonitor()).toBe(monitor);
    });
  });

  it('are the same in the CommonJS and the ESM build', async () => {
    const program = `
      import { createRequire } from 'node:module';
      import 'reflect-metadata';
      import { NestFactory } from '@nestjs/core';
      import * as esm from './dist/esm/index.js';
      const cjs = createRequire(import.meta.url)('./dist/cjs/index.js');
      const app = await NestFactory.createApplicationContext(esm.PerformanceModule.forRoot(), { logger: false });
      const one = cjs.getPerformanceMonitor() === app.get(esm.PerformanceMonitor);
      await app.close();
      let message;
      try { cjs.getPerformanceStats(); } catch (error) { message = error.message; }
      console.log(JSON.stringify({ two: cjs.getPerformanceMonitor !== esm.getPerformanceMonitor, one, message }));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { cwd: join(__dirname, '../..') },
    );
    expect(JSON.parse(stdout)).toEqual({ two: true, one: true, message: NOT_ENABLED.message });
  });
});
