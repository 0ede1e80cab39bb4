import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable } from '@nestjs/common';
import type { OverheadStatus } from '../../lib/overhead/overhead.js';
import { fetchFromOutside, startApplication, type TestApplication } from '../support/application.js';

const STEPS = 10;
const TIMEOUT_MS = 120_000;

@Injectable()
class StepService {
  step(number: number): number {
    return number + 1;
  }
}

@Controller()
class WorkController {
  constructor(private readonly steps: StepService) {}

  @Get('work')
  async work() {
    let result = 0;
    for (let step = 0; step < STEPS; step++) result = this.steps.step(result);
    await sleep(20);
    return { result };
  }
}
Reflect.defineMetadata('design:paramtypes', [StepService], WorkController);

describe('an application above the budget of its own cost', () => {
  let served: TestApplication;
  let asked = 0;
  const work = async (): Promise<void> => {
    asked++;
    await (await fetchFromOutside(`${served.url}/work`)).text();
  };
  const status = (): OverheadStatus => served.monitor.getStats().overhead;
  const messages = (): string[] =>
    served.logged.map(({ message }) => message).filter((message) => message.startsWith('nestjs-performance'));

  async function until(what: string, isSo: () => boolean, meanwhile: () => Promise<unknown>): Promise<void> {
    for (const end = Date.now() + 60_000; !isSo(); ) {
      if (Date.now() > end)
        throw new Error(`never ${what}: ${JSON.stringify(status())} ${messages().join('\n')}`);
      await meanwhile();
    }
  }

  beforeAll(async () => {
    served = await startApplication(
      'express',
      { controllers: [WorkController], providers: [StepService] },
      {
        httpThresholdMs: 1,
        overhead: { maxCpuPercent: 1, windowSeconds: 2 },
        tracing: { providers: ['StepService'] },
        detection: { eventLoopBlock: { enabled: false } },
      },
    );
  }, TIMEOUT_MS);
  afterAll(() => served.app.close());

  it(
    'pauses its dearest part first, then others, counts every operation, and resumes all when there is room',
    async () => {
      await work();
      const load = () => Promise.all(Array.from({ length: 16 }, work));
      await until('paused', () => status().shed.length >= 2, load);
      const { shed, cpuPercent = 0, microsecondsPerRequest = 0, byPart, maxCpuPercent } = status();
      expect(maxCpuPercent).toBe(1);
      expect(cpuPercent).toBeGreaterThan(1);
      expect(microsecondsPerRequest).toBeGreaterThan(10);
      expect(byPart).toMatchObject({ requests: expect.any(Object), spans: expect.any(Object) });
      // Each request is slow here, and describing that is what costs most.
      expect(shed[0]).toBe('explaining');

      await work();
      await sleep(50);
      const [newest] = served.monitor.getSlowOperations({ limit: 1 });
      expect(newest).toMatchObject({ name: 'GET /work', cause: 'unknown' });
      expect(newest?.explanation).toContain('overhead.maxCpuPercent');

      await until(
        'resumed',
        () => status().shed.length === 0,
        () => sleep(100),
      );
      await work();
      await sleep(50);
      const [explained] = served.monitor.getSlowOperations({ limit: 1 });
      // On a busy machine it may be waiting for a CPU.
      expect(explained?.cause).not.toBe('unknown');
      expect(explained?.explanation).not.toContain('overhead.maxCpuPercent');
      const { waterfall } = served.monitor.getSlowOperation(explained?.id ?? '') ?? {};
      expect(waterfall?.spans).toHaveLength(STEPS + 1);

      // Nothing sheds counting.
      expect(served.operation('GET /work')?.count).toBe(asked);
      expect(served.operation('StepService.step')?.count).toBe(asked * STEPS);

      const paused = messages().filter((message) => message.includes('it pauses'));
      const resumed = messages().filter((message) => message.includes('it resumes'));
      expect(paused[0]).toContain('explanations (explaining)');
      expect(paused).toHaveLength(resumed.length);
      expect(new Set(paused).size).toBe(paused.length);
      expect(messages().length - paused.length - resumed.length).toBeLessThanOrEqual(1);
    },
    TIMEOUT_MS,
  );
});
