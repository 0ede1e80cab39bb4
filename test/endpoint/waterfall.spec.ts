import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import type { DetailedSlowOperation, SlowOperation } from '../../lib/explain/slow-operation.js';
import { withPerformanceTracking } from '../../lib/nest/decorators/track-performance.decorator.js';
import { PLATFORMS, startApplication, type TestApplication, until } from '../support/application.js';

@Controller('albums')
class AlbumsController {
  @Get()
  list(): Promise<string> {
    return withPerformanceTracking('calculation', async () => 'albums', { name: 'choose' });
  }
}

describe.each(PLATFORMS)('a slow request on %s', (platform) => {
  let application: TestApplication | undefined;
  afterEach(() => application?.app.close());

  it('has its waterfall by id, but not in the list', async () => {
    application = await startApplication(
      platform,
      { controllers: [AlbumsController] },
      { httpThresholdMs: 0 },
    );
    const { url, monitor } = application;
    const ask = async <T>(path: string): Promise<T> => (await fetch(url + path)).json() as Promise<T>;
    await (await fetch(`${url}/albums`)).text();
    await until(() => monitor.getSlowOperations().length > 0);
    const [listed] = await ask<[SlowOperation]>('/performance/slow');
    expect(listed).not.toHaveProperty('waterfall');
    const told = await ask<DetailedSlowOperation>(`/performance/slow/${listed.id}`);
    expect(told).toEqual({ ...listed, waterfall: told.waterfall });
    expect(told.waterfall).toMatchObject({
      spans: [
        { name: 'GET /albums', type: 'http', startMs: 0, durationMs: listed.durationMs, parent: -1 },
        { name: 'choose', type: 'calculation', parent: 0 },
      ],
      omitted: 0,
    });
  });
});
