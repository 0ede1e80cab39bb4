import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  type ArgumentsHost,
  BadRequestException,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  NotFoundException,
  Param,
  Query,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import type { Finding } from '../../lib/explain/finding.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { TrackPerformance } from '../../lib/nest/decorators/track-performance.decorator.js';
import type { PerformanceReport } from '../../lib/report/report.js';
import {
  fetchFromOutside,
  PLATFORMS,
  startApplication,
  type TestApplication,
  until,
} from '../support/application.js';

/** The line that throws this text. */
function lineOf(text: string): number {
  return (
    readFileSync(__filename, 'utf8')
      .split('\n')
      .findIndex((line) => line.includes(`Error('${text}')`)) + 1
  );
}

const SECRET = 'sesame';

class NoSuchAlbum extends Error {}
class PaymentRefused extends Error {
  constructor(readonly card: string) {
    super(`Card ${card} was refused`);
  }
}

@Catch(NoSuchAlbum)
class NotFoundFilter implements ExceptionFilter {
  catch(_: NoSuchAlbum, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse();
    response.status(404).send({ message: 'no such album' });
  }
}

class Payments {
  @TrackPerformance('payment')
  async charge(card: string): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    throw new PaymentRefused(card);
  }
}
const payments = new Payments();

class Albums {
  @TrackPerformance('lookup')
  find(id: string): never {
    throw new NoSuchAlbum(id);
  }
}
const albums = new Albums();

class BrokenGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const error = new TypeError(`Token ${SECRET} is invalid`);
    if (execution.switchToHttp().getRequest().params.how === 'recorded')
      trace.getActiveSpan()?.recordException(error);
    throw error;
  }
}

@Controller()
class ShopController {
  @Get('boom')
  boom(): string {
    throw new Error('boom');
  }
  @Get('typo')
  typo(@Query('name') name?: string): unknown {
    return (undefined as unknown as { albums: Map<string, number> }).albums.get(name ?? '');
  }
  @Get('two/:line')
  two(@Param('line') line: string): string {
    if (line === '1') throw new RangeError('out of range');
    throw new RangeError('another');
  }
  @Get('pay')
  async pay(): Promise<string> {
    await payments.charge('4242424242424242');
    return 'paid';
  }
  @Get('retried')
  async retried(): Promise<string> {
    await payments.charge('4000000000000002').catch(() => undefined);
    return 'paid later';
  }
  @Get('guarded/:how')
  @UseGuards(BrokenGuard)
  guarded(): string {
    return 'never';
  }
  @Get('missing')
  missing(): string {
    throw new NotFoundException('album 17');
  }
  @Get('refused')
  refused(): string {
    throw new BadRequestException();
  }
  @Get('album')
  @UseFilters(NotFoundFilter)
  album(): string {
    throw new NoSuchAlbum('17');
  }
  @Get('lookup')
  @UseFilters(NotFoundFilter)
  lookup(): string {
    return albums.find('17');
  }
  @Get('text')
  text(): string {
    throw 'out of order';
  }
  @Get('hostile')
  hostile(): string {
    throw Object.defineProperties(new Error('x'), {
      name: {
        get: () => {
          throw new Error('name');
        },
      },
      message: {
        get: () => {
          throw new Error('message');
        },
      },
      stack: {
        get: () => {
          throw new Error('stack');
        },
      },
    });
  }
  @Get('fine')
  fine(): string {
    return 'fine';
  }
}

let application: TestApplication;
afterEach(() => application.app.close());

async function start(platform: 'express' | 'fastify' = 'express'): Promise<void> {
  application = await startApplication(platform, { controllers: [ShopController] });
}

async function get(path: string, times = 1): Promise<void> {
  const counted = (): number => application.monitor.getStats().byType['http']?.count ?? 0;
  const before = counted();
  for (let i = 0; i < times; i++) await (await fetchFromOutside(application.url + path)).text();
  await until(() => counted() >= before + times);
}

const errors = (): Finding[] => application.monitor.getFindings({ type: 'errors' });

/** The findings of errors, once there are as many as expected. */
async function errorsFound(count: number, seen = 1): Promise<Finding[]> {
  await until(() => errors().length >= count && errors().every((each) => each.count >= seen));
  expect(errors()).toHaveLength(count);
  return errors();
}

describe.each(PLATFORMS)('Errors on %s', (platform) => {
  it('are found by class, constant message and line, and make the service unhealthy', async () => {
    await start(platform);
    await get('/boom', 20);
    const [found] = await errorsFound(1, 20);
    expect(found).toMatchObject({
      type: 'errors',
      severity: 'critical',
      route: 'GET /boom',
      count: 20,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      callSite: {
        function: 'ShopController.boom',
        file: 'test/health/error-findings.spec.ts',
        line: lineOf('boom'),
      },
      explanation: `GET /boom failed with 500: Error: boom at ShopController.boom (error-findings.spec.ts:${lineOf('boom')}).`,
    });
    const overview = await fetchFromOutside(`${application.url}/performance/overview`);
    expect(((await overview.json()) as { health: unknown }).health).toEqual({
      state: 'unhealthy',
      sentence: `GET /boom fails: 20 of 20 requests in the last minute returned an error. Error: boom at ShopController.boom (error-findings.spec.ts:${lineOf('boom')}).`,
    });
    const report: PerformanceReport = application.app.get(PerformanceMonitor).getReport();
    expect(report.verdict).toBe('critical');
    expect(report.findings[0]).toMatchObject({ type: 'errors', route: 'GET /boom' });
  });

  it('that are expected are not found', async () => {
    await start(platform);
    for (const path of ['/missing', '/refused', '/album', '/lookup', '/nowhere', '/fine']) await get(path, 5);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(errors()).toEqual([]);
  });
});

describe('Errors', () => {
  it('have no values in their messages', async () => {
    await start();
    await get('/pay', 3);
    const [found] = await errorsFound(1, 3);
    expect(found?.explanation).toMatch(
      /^GET \/pay failed with 500: PaymentRefused: \? was refused at Payments\.charge \(error-findings\.spec\.ts:\d+\)\.$/,
    );
    expect(JSON.stringify(errors())).not.toContain('4242');
  });

  it('of the runtime keep their message as far as it has no values', async () => {
    await start();
    await get('/typo?name=secret');
    const [found] = await errorsFound(1);
    // Jest names the function of a frame by what it called.
    expect(found?.explanation).toMatch(
      /^GET \/typo failed with 500: TypeError: Cannot read properties of undefined \(\?\) at ShopController\.\w+ \(error-findings\.spec\.ts:\d+\)\.$/,
    );
  });

  it('of one class from two lines are two findings', async () => {
    await start();
    for (let i = 0; i < 4; i++) await get(`/two/${(i % 2) + 1}`);
    const found = await errorsFound(2, 2);
    expect(found.map(({ callSite, count }) => `${callSite?.line} ${count}`).sort()).toEqual([
      `${lineOf('out of range')} 2`,
      `${lineOf('another')} 2`,
    ]);
  });

  it('that a request handles are worth knowing only', async () => {
    await start();
    await get('/retried', 5);
    const [found] = await errorsFound(1, 5);
    expect(found).toMatchObject({ severity: 'info', route: 'GET /retried', count: 5 });
    expect(found?.explanation).toMatch(/^Payments\.charge within GET \/retried failed: PaymentRefused/);
  });

  it('that were only recorded on the span of the request are found', async () => {
    await start();
    await get('/guarded/recorded');
    await get('/guarded/silent');
    const found = await errorsFound(2);
    expect(found.map(({ explanation }) => explanation).sort()).toEqual([
      expect.stringMatching(
        /^GET \/guarded\/:how failed with 500: TypeError: Token \? is invalid at BrokenGuard\.canActivate \(error-findings/,
      ),
      'GET /guarded/:how failed: HTTP 500.',
    ]);
  });

  it('that are no errors, or cannot be read, are found as well', async () => {
    await start();
    await get('/text');
    await get('/hostile');
    const explanations = (await errorsFound(2)).map(({ explanation }) => explanation).sort();
    expect(explanations[0]).toMatch(/^GET \/hostile failed with 500: /);
    expect(explanations[1]).toBe('GET /text failed with 500: string: out of order.');
  });

  it('cost the reading of a few stacks only, however many there are', async () => {
    await start();
    const monitor = application.app.get(PerformanceMonitor);
    let reads = 0;
    for (let i = 0; i < 1000; i++) {
      const thrown = new Error('boom');
      Object.defineProperty(thrown, 'stack', {
        get: () => {
          reads++;
          return 'Error: boom\n    at Shop.list (/srv/shop/src/shop.ts:12:5)';
        },
      });
      const operation = {
        type: 'http',
        name: 'GET /flood',
        durationMs: 1,
        thresholdMs: undefined,
        error: true,
      };
      monitor.record({ ...operation, thrown });
    }
    const [found] = await errorsFound(1, 500);
    expect(found?.count).toBeGreaterThanOrEqual(500);
    expect(reads).toBeLessThanOrEqual(30);
  });

  it('of many routes and classes are bounded', async () => {
    await start();
    const monitor = application.app.get(PerformanceMonitor);
    for (let i = 0; i < 3000; i++) {
      const thrown = Object.assign(new Error('boom'), { name: `Error${i}` });
      monitor.record({
        type: 'http',
        name: `GET /${i}`,
        durationMs: 1,
        thresholdMs: undefined,
        error: true,
        thrown,
      });
    }
    await until(() => errors().length > 0);
    expect(errors().length).toBeLessThanOrEqual(200);
  });

  it('are none without failures', async () => {
    const read = jest.spyOn(Object.getPrototypeOf(new Error('x')), 'toString');
    await start();
    await get('/fine', 30);
    expect(errors()).toEqual([]);
    expect(read).not.toHaveBeenCalled();
    read.mockRestore();
  });
});
