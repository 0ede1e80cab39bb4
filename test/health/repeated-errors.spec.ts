import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import type { Finding } from '../../lib/explain/finding.js';
import { TrackPerformance } from '../../lib/nest/decorators/track-performance.decorator.js';
import { fetchFromOutside, startApplication, type TestApplication, until } from '../support/application.js';

const CLOSED = new Error('closed');
const refused = Promise.reject(new RangeError('refused'));
refused.catch(() => {});

class Steps {
  @TrackPerformance('step')
  async inner(): Promise<void> {
    throw CLOSED;
  }
  @TrackPerformance('step')
  async outer(): Promise<void> {
    await this.inner();
  }
  @TrackPerformance('step')
  async cached(): Promise<void> {
    await refused;
  }
  @TrackPerformance('step')
  async different(index: number): Promise<void> {
    throw new TypeError(`step ${index}`);
  }
}
const steps = new Steps();

@Controller()
class ShopController {
  @Get('constant')
  async constant(): Promise<void> {
    await steps.outer();
  }
  @Get('cached')
  async cached(): Promise<void> {
    await Promise.all([steps.cached(), steps.cached()]);
  }
  @Get('retried')
  async retried(): Promise<string> {
    await steps.outer().catch(() => undefined);
    return 'done';
  }
  @Get('detached')
  detached(): string {
    setTimeout(() => void steps.outer().catch(() => undefined), 20);
    setTimeout(() => void steps.outer().catch(() => undefined), 30);
    return 'started';
  }
  @Get('many')
  async many(): Promise<void> {
    await Promise.allSettled(Array.from({ length: 25 }, (_, index) => steps.different(index)));
  }
}

describe('An error object that is thrown repeatedly', () => {
  let application: TestApplication;
  beforeEach(async () => {
    application = await startApplication('express', { controllers: [ShopController] });
  });
  afterEach(() => application.app.close());

  async function get(path: string, times = 1): Promise<void> {
    await Promise.all(
      Array.from({ length: times }, async () => (await fetchFromOutside(application.url + path)).text()),
    );
    await until(() => application.monitor.getStats().byType['http']?.count === times);
  }
  const errors = (): Finding[] => application.monitor.getFindings({ type: 'errors' });

  it.each([
    ['that is a constant', 'constant', 'Error'],
    ['of a cached promise', 'cached', 'RangeError'],
  ])('%s is counted once for each request', async (_what, path, errorClass) => {
    await get(`/${path}`, 7);
    await until(() => errors()[0]?.count === 7);
    expect(errors()).toEqual([expect.objectContaining({ route: `GET /${path}`, count: 7 })]);
    expect(errors()[0]?.error).toEqual({
      class: errorClass,
      message: errorClass === 'Error' ? 'closed' : 'refused',
      lastFailedAt: expect.any(Number),
    });
  });

  it('is counted once for each request that handles it', async () => {
    await get('/retried', 7);
    await until(() => errors()[0]?.count === 7);
    expect(errors()[0]?.error).toEqual({ class: 'Error', message: 'closed' });
  });

  it('is counted each time by what runs after its request', async () => {
    await get('/detached');
    await until(() => errors()[0]?.count === 2);
    expect(application.monitor.getStats().byType['step']?.errorCount).toBe(4);
    expect(errors()).toEqual([expect.objectContaining({ count: 2 })]);
  });

  it('says how many errors of a request exceed the limit', async () => {
    await get('/many');
    await until(() => errors()[0]?.count === 20);
    expect(application.monitor.getStats().dropped).toMatchObject({ errors: 5 });
  });
});
