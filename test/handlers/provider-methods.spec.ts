import { afterEach, describe, expect, it } from '@jest/globals';
import {
  BadRequestException,
  Controller,
  Get,
  Inject,
  Injectable,
  type OnModuleInit,
  Param,
  Scope,
} from '@nestjs/common';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { SpanKind, trace } from '@opentelemetry/api';
import { of } from 'rxjs';
import { SlowThreshold } from '../../lib/nest/decorators/slow-threshold.decorator.js';
import { TrackPerformance } from '../../lib/nest/decorators/track-performance.decorator.js';
import { MAX_DETAILED_CALLS } from '../../lib/nest/handlers/provider-method.js';
import { PerformanceMonitorService } from '../../lib/nest/performance-monitor.service.js';
import { liveSpanOf } from '../../lib/spans/live-span.js';
import { fetchFromOutside, startApplication, type TestApplication, until } from '../support/application';
import { sleep } from '../support/tracing';

const spanName = (): string | undefined => liveSpanOf(trace.getActiveSpan())?.name;
const given = { promise: Promise.resolve(1), error: new RangeError('of the method'), observable: of(1, 2) };

class Repository {
  async load(ms: number): Promise<string | undefined> {
    await sleep(ms);
    return spanName();
  }
}

@Injectable()
class CatalogRepository extends Repository {
  readonly within: (string | undefined)[] = [];
  row(id: number): number {
    this.within.push(spanName());
    return id;
  }
  fails(): never {
    throw given.error;
  }
  async track(id: number): Promise<void> {
    const span = trace.getTracer('pg').startSpan('pg.query:SELECT', {
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': 'postgresql',
        'db.query.text': `SELECT * FROM track WHERE album_id = ${id}`,
      },
    });
    await sleep(1);
    span.end();
  }
  async refuses(): Promise<never> {
    throw new BadRequestException('refused');
  }
}

@Injectable()
class CatalogService implements OnModuleInit {
  static helper(): void {}
  readonly arrow = (): string | undefined => spanName();
  constructor(@Inject(CatalogRepository) private readonly catalog: CatalogRepository) {}

  get lazy(): string | undefined {
    return spanName();
  }
  set lazy(_value: string | undefined) {}
  onModuleInit(): void {}
  async find(): Promise<string> {
    block(20);
    return `${await this.catalog.load(60)} in ${spanName()}`;
  }
  each(count: number): number {
    let sum = 0;
    for (let id = 0; id < count; id++) sum += this.catalog.row(id);
    return sum;
  }
  async tracks(count: number): Promise<void> {
    for (let id = 1; id <= count; id++) await this.catalog.track(id);
  }
  promise(): Promise<number> {
    return given.promise;
  }
  observable() {
    return given.observable;
  }
  *generator() {
    yield spanName();
  }
  attempt(): boolean {
    try {
      return this.catalog.fails();
    } catch (error) {
      return error === given.error;
    }
  }
  @SlowThreshold(1)
  slow(): void {
    block(5);
  }
  @TrackPerformance('calculation')
  tracked(): void {}
  @OnEvent('sold')
  sold(): void {}
}

@Injectable({ scope: Scope.REQUEST })
class Basket {
  total(): number {
    return 1;
  }
}

class Bus extends EventEmitter2 {
  announce(): boolean {
    return this.emit('sold');
  }
}

class Made {
  run(): number {
    return 1;
  }
}

@Controller('catalog')
class CatalogController {
  constructor(
    @Inject(CatalogService) private readonly service: CatalogService,
    @Inject(Basket) private readonly basket: Basket,
  ) {}

  @Get('find')
  find(): Promise<string> {
    return this.service.find();
  }
  @Get('each/:count')
  each(@Param('count') count: string): string {
    return String(this.service.each(this.parse(count)));
  }
  @Get('attempt')
  attempt(): string {
    return String(this.service.attempt());
  }
  @Get('slow')
  slow(): void {
    this.service.slow();
  }
  @Get('tracks/:count')
  async tracks(@Param('count') count: string): Promise<string> {
    await this.service.tracks(Number(count));
    return count;
  }
  @Get('basket')
  total(): string {
    return String(this.basket.total());
  }
  @Get('plain')
  plain(): string {
    this.service.tracked();
    this.service.sold();
    return String([this.service.lazy, this.service.arrow(), CatalogService.helper()]);
  }
  parse(text: string): number {
    return Number(text);
  }
}

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

const hostile = new Proxy(class {}, {
  get() {
    throw new Error('a trap ran');
  },
  getPrototypeOf() {
    throw new Error('a trap ran');
  },
});
/** Providers may be any value. */
const OTHERS = [
  { provide: 'null', useValue: null },
  { provide: 'bare', useValue: Object.create(null) },
  { provide: 'without a class', useValue: Object.create(Object.create(null, { run: { value: () => 1 } })) },
  { provide: 'function', useValue: () => 1 },
  { provide: 'hostile', useFactory: () => ({ hostile }) },
  { provide: 'frozen', useFactory: () => Object.freeze(new (class Frozen {})()) },
];

let application: TestApplication;
const start = async (providers: boolean | string[] | undefined, options = {}): Promise<void> => {
  application = await startApplication(
    'express',
    {
      imports: [EventEmitterModule.forRoot() as never, ScheduleModule.forRoot() as never],
      controllers: [CatalogController],
      providers: [
        CatalogRepository,
        CatalogService,
        Basket,
        { provide: Bus, useFactory: () => new Bus() },
        { provide: 'made', useFactory: () => new Made() },
        ...OTHERS,
      ] as never,
    },
    { tracing: { providers }, ...options },
  );
};
afterEach(() => application.app.close());
const get = async (path: string): Promise<string> => {
  const response = await fetchFromOutside(`${application.url}/catalog/${path}`);
  const text = await response.text();
  await until(() => application.monitor.getStats().byType['http'] !== undefined);
  return text;
};
const internal = (): string[] =>
  application.monitor
    .getStats({ operations: 1000 })
    .operations.filter(({ type }) => type === 'internal')
    .map(({ name }) => name)
    .sort();
const service = (): CatalogService => application.app.get(CatalogService);

const PACKAGED = [
  [EventEmitter2.prototype, 'emit', EventEmitter2.prototype.emit],
  [SchedulerRegistry.prototype, 'getIntervals', SchedulerRegistry.prototype.getIntervals],
  [PerformanceMonitorService.prototype, 'getStats', PerformanceMonitorService.prototype.getStats],
] as const;
const OWN = [
  [CatalogService.prototype, 'find', CatalogService.prototype.find],
  [CatalogRepository.prototype, 'row', CatalogRepository.prototype.row],
  [Repository.prototype, 'load', Repository.prototype.load],
  [Bus.prototype, 'announce', Bus.prototype.announce],
  [Made.prototype, 'run', Made.prototype.run],
  [Basket.prototype, 'total', Basket.prototype.total],
  [CatalogController.prototype, 'parse', CatalogController.prototype.parse],
] as const;
const isReplaced = ([prototype, name, original]: readonly [object, string, unknown]): boolean =>
  (prototype as Record<string, unknown>)[name] !== original;

describe('methods of providers', () => {
  it('are not measured by default', async () => {
    await start(undefined);
    expect(OWN.some(isReplaced)).toBe(false);
    expect(await get('find')).toBe('GET /catalog/find in GET /catalog/find');
    expect(internal()).toEqual([]);
  });

  it('are measured if the classes are of the application, and no others', async () => {
    await start(true);
    expect(OWN.filter((one) => !isReplaced(one))).toEqual([]);
    expect(PACKAGED.filter(isReplaced)).toEqual([]);
    await application.app.close();
    expect(OWN.filter(isReplaced)).toEqual([]);
  });

  it('are operations of type internal with their own and total time, and parts of the waterfall', async () => {
    await start(true, { httpThresholdMs: 1 });
    expect(await get('find')).toBe('CatalogRepository.load in CatalogService.find');
    const find = application.operation('CatalogService.find');
    expect(find).toMatchObject({ type: 'internal', count: 1, errorCount: 0 });
    expect(find?.totalMs).toBeGreaterThan(75);
    expect(find?.selfMs).toBeGreaterThan(15);
    expect(find?.selfMs).toBeLessThan((find?.totalMs ?? 0) - 50);
    const load = application.operation('CatalogRepository.load');
    expect(load?.selfMs).toBe(load?.totalMs);
    await until(() => application.monitor.getSlowOperations().length > 0);
    const [slow] = application.monitor.getSlowOperations({ type: 'http' });
    const waterfall = await fetchFromOutside(`${application.url}/performance/slow/${slow?.id}`);
    expect(JSON.stringify(await waterfall.json())).toContain('CatalogRepository.load');
  });

  it('are no handlers, hooks, accessors, static methods or properties, and no decorated methods', async () => {
    await start(true);
    expect(await get('plain')).toBe('GET /catalog/plain,GET /catalog/plain,');
    await until(() => application.operation('CatalogService.tracked') !== undefined);
    expect(internal()).toEqual([]);
    expect(application.operation('CatalogService.tracked')).toMatchObject({ type: 'calculation', count: 1 });
    expect(application.operation('CatalogService.sold')).toMatchObject({ type: 'event', count: 1 });
  });

  it('return and throw what they did', async () => {
    await start(true);
    expect(service().promise()).toBe(given.promise);
    expect(service().observable()).toBe(given.observable);
    expect([...service().generator()]).toEqual([undefined]);
    expect(() => application.app.get(CatalogRepository).fails()).toThrow(given.error);
    await expect(application.app.get(CatalogRepository).refuses()).rejects.toThrow('refused');
  });

  it('have their errors counted, which are no failure of a request that handled them', async () => {
    await start(true);
    expect(await get('attempt')).toBe('true');
    expect(application.operation('CatalogRepository.fails')).toMatchObject({ count: 1, errorCount: 1 });
    expect(application.operation('CatalogService.attempt')).toMatchObject({ count: 1, errorCount: 0 });
    expect(application.operation('GET /catalog/attempt')).toMatchObject({ errorCount: 0 });
  });

  it('have up to 50 spans in a request, and are counted beyond', async () => {
    await start(true, { httpThresholdMs: 0 });
    await get('each/200');
    expect(application.operation('CatalogRepository.row')).toMatchObject({ count: 200 });
    await until(() => application.monitor.getSlowOperations({ type: 'http' }).length > 0);
    // CatalogController.parse and CatalogService.each came first.
    const { within } = application.app.get(CatalogRepository);
    const detailed = Array.from({ length: MAX_DETAILED_CALLS - 2 }, () => 'CatalogRepository.row');
    expect(within.slice(0, detailed.length)).toEqual(detailed);
    expect(new Set(within.slice(detailed.length))).toEqual(new Set(['CatalogService.each']));
    await get('each/0');
    expect(application.operation('CatalogController.parse')).toMatchObject({ count: 2 });
  });

  it.each([12, 90])('do not hide that a request repeats a query %i times', async (count) => {
    await start(true, { detection: { nPlusOne: { minTotalMs: 0 } } });
    await get(`tracks/${count}`);
    await until(() => application.monitor.getFindings().length > 0);
    expect(application.monitor.getFindings()).toMatchObject([
      { type: 'n_plus_one', route: 'GET /catalog/tracks/:count', repetitions: count },
    ]);
    expect(application.operation('CatalogRepository.track')).toMatchObject({ count });
  });

  it('are counted outside of a request, without a trace', async () => {
    await start(true);
    expect(service().each(3)).toBe(3);
    expect(application.operation('CatalogService.each')).toMatchObject({ count: 1 });
    expect(application.operation('CatalogRepository.row')).toMatchObject({ count: 3 });
    expect(application.operation('CatalogRepository.row')).not.toHaveProperty('selfMs');
    expect(await service().find()).toBe('undefined in undefined');
  });

  it('are measured for each instance of a request', async () => {
    await start(true);
    for (let request = 0; request < 3; request++) expect(await get('basket')).toBe('1');
    expect(application.operation('Basket.total')).toMatchObject({ count: 3 });
  });

  it('are not measured beyond half of the operations', async () => {
    await start(true, { detection: { maxOperations: 4 } });
    expect(OWN.filter(isReplaced).length).toBeLessThanOrEqual(2);
    expect(application.logged.map(({ message }) => message).join('\n')).toContain(
      'tracing.providers measures the first 2 methods',
    );
  });

  it('have the thresholds of their decorators', async () => {
    await start(['CatalogService.slow']);
    await get('slow');
    await until(() => application.monitor.getSlowOperations({ type: 'internal' }).length > 0);
    expect(application.monitor.getSlowOperations({ type: 'internal' })).toMatchObject([
      { name: 'CatalogService.slow', thresholdMs: 1 },
    ]);
  });

  it('are not touched without a pattern, nor when the module is disabled', async () => {
    await start(true, { enabled: false });
    expect(OWN.some(isReplaced)).toBe(false);
    await application.app.close();
    await start([]);
    expect(OWN.some(isReplaced)).toBe(false);
    expect(application.logged.map(({ message }) => message).join()).not.toContain('tracing.providers');
  });
});

describe('patterns', () => {
  const replaced = (): string[] => OWN.filter(isReplaced).map(([, name]) => name);

  it.each<[string[], string[]]>([
    [['CatalogService'], ['find']],
    [['Catalog*'], ['find', 'row', 'load', 'parse']],
    [
      ['*.run', 'Basket'],
      ['run', 'total'],
    ],
    [['CatalogRepository.r*'], ['row']],
    [['Repository'], []],
  ])('%p select', async (patterns, names) => {
    await start(patterns);
    expect(replaced()).toEqual(names);
  });

  it('select no classes of packages, and those without effect are logged', async () => {
    await start(['EventEmitter2', 'PerformanceMonitorService', 'SchedulerRegistry']);
    expect(PACKAGED.filter(isReplaced)).toEqual([]);
    expect(application.logged.map(({ message }) => message)).toContain(
      'tracing.providers measures nothing: no method of the application matches EventEmitter2, PerformanceMonitorService, SchedulerRegistry.',
    );
  });
});
