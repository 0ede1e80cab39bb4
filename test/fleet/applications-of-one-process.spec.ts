import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import KeyvRedis from '@keyv/redis';
import { Controller, Get } from '@nestjs/common';
import Keyv from 'keyv';
import type { FleetOptions } from '../../lib/fleet/fleet-options.js';
import type { FleetView } from '../../lib/fleet/fleet-view.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { startApplication, type TestApplication } from '../support/application.js';
import { REDIS, redisAnswers } from './instance-processes.js';

@Controller()
class Orders {
  @Get('orders')
  orders(): string[] {
    return [];
  }

  @Get('slow')
  async slow(): Promise<string> {
    await sleep(60);
    return 'slow';
  }
}

let folder: string;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-applications-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function keyvOfRedis(): Keyv {
  const keyv = new Keyv(new KeyvRedis(REDIS), { namespace: `applications-${process.pid}` });
  keyv.on('error', () => {});
  closing.push(() => keyv.disconnect());
  return keyv;
}

async function start(fleet: FleetOptions): Promise<TestApplication> {
  const started = await startApplication(
    'express',
    { controllers: [Orders] },
    { serviceName: 'shop', fleet, httpThresholdMs: 30 },
  );
  closing.push(() => started.app.close());
  return started;
}

/** The view of an application once it meets a condition. */
async function viewWhen(
  { url }: TestApplication,
  condition: (view: FleetView) => boolean,
): Promise<FleetView> {
  for (const end = Date.now() + 20_000; ; ) {
    const view = (await (await fetch(`${url}/performance/fleet`)).json()) as FleetView;
    if (condition(view)) return view;
    if (Date.now() > end) throw new Error(`the condition did not come to hold: ${JSON.stringify(view)}`);
    await sleep(200);
  }
}

const identityOf = ({ app }: TestApplication) => app.get(PerformanceMonitor).options.instance;

const isInstance = (id: string) => expect.objectContaining({ id, pid: process.pid, state: 'live' });

describe.each(['directory', 'redis'])(
  'two applications of one service in one process that share a %s',
  (kind) => {
    it('are two instances, with the requests of each', async () => {
      if (kind === 'redis' && !(await redisAnswers())) {
        process.stderr.write('skipped: applications that share a Redis, as none answers\n');
        return;
      }
      const shared = (): FleetOptions =>
        kind === 'redis' ? { store: keyvOfRedis() } : { directory: join(folder, 'shared') };
      const first = await start(shared());
      const second = await start(shared());
      for (const [one, requests] of [
        [first, 2],
        [second, 3],
      ] as const)
        for (let call = 0; call < requests; call++) await (await fetch(`${one.url}/orders`)).text();
      const { id } = identityOf(first);
      for (const one of [first, second]) {
        const view = await viewWhen(
          one,
          ({ operations }) => operations.find(({ name }) => name === 'GET /orders')?.lifetime.count === 5,
        );
        expect(view.instances).toHaveLength(2);
        expect(view.instances).toEqual(expect.arrayContaining([isInstance(id), isInstance(`${id}.2`)]));
        expect(view).toMatchObject({ ignored: 0, omitted: 0 });
      }
      await (await fetch(`${second.url}/slow`)).text();
      const isSlow = ({ name }: { name: string }): boolean => name === 'GET /slow';
      const slow = (await viewWhen(first, (view) => view.slow.some(isSlow))).slow.find(isSlow);
      expect(slow?.instance).toBe(`${id}.2`);
      const recorded = await fetch(`${first.url}/performance/slow/${slow?.id}`);
      expect(await recorded.json()).toMatchObject({ id: slow?.id, instance: `${id}.2` });
      // The summary of the other one stays.
      await first.app.close();
      const left = await viewWhen(second, ({ instances }) => instances.length === 1);
      expect(left.instances).toEqual([isInstance(`${id}.2`)]);
    }, 60_000);
  },
);
