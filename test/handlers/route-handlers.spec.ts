import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { promiseHooks } from 'node:v8';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  BadRequestException,
  Body,
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  HttpCode,
  Injectable,
  type NestInterceptor,
  Param,
  ParseIntPipe,
  Post,
  Scope,
  SetMetadata,
  UseGuards,
  UseInterceptors,
  VERSION_NEUTRAL,
  Version,
  type VersioningOptions,
  VersioningType,
} from '@nestjs/common';
import { from, map, type Observable, of } from 'rxjs';
import { SlowThreshold } from '../../lib/nest/decorators/slow-threshold.decorator.js';
import { HttpHandler } from '../../lib/nest/handlers/http-handler.js';
import { PerformanceInterceptor } from '../../lib/nest/performance.interceptor.js';
import { HandlerInfo } from '../../lib/tracing/handler-info.js';
import {
  fetchFromOutside,
  PLATFORMS,
  startApplication,
  type TestApplication,
  until,
} from '../support/application';
import { sleep } from '../support/tracing';

const handled: unknown[] = [];

/** A method of the application that the application also calls itself. */
const field = new HttpHandler(new HandlerInfo('CatResolver.friends', undefined), undefined, {
  type: undefined,
  field: 'friends',
});

@Injectable()
class ByRole implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    handled.push(execution.getHandler());
    return Reflect.getMetadata('role', execution.getHandler()) !== 'nobody';
  }
}

@Injectable()
class Shout implements NestInterceptor {
  async intercept(_: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    await sleep(30);
    return next.handle().pipe(map((value) => `${String(value)}!`));
  }
}

abstract class Crud {
  @Get(':id')
  one(@Param('id', ParseIntPipe) id: number): string {
    return `${this.constructor.name} ${id + 1}`;
  }

  @Get(':id/overridden')
  overridden(): string {
    return 'base';
  }
}

@Controller('resolved')
class ResolvedController {
  /** How many reactions a call adds to the promise that it returns. */
  @Get('reactions')
  reactions(): number {
    const result = new Promise(() => {});
    let reactions = 0;
    const stop = promiseHooks.createHook({
      init: (_, parent) => {
        if (parent === result) reactions++;
      },
    }) as () => void;
    field.call(() => result, {}, []);
    stop();
    return reactions;
  }
}

@Controller('cats')
@UseGuards(ByRole)
class CatsController extends Crud {
  readonly asProperty = (): string => 'property';

  @Get(':id/overridden')
  override overridden(): string {
    return `cat over ${super.overridden()}`;
  }

  @Post()
  @HttpCode(202)
  @Header('x-cat', 'yes')
  create(@Body('name') name: string): { name: string } {
    return { name };
  }

  @Get('of/nobody')
  @SetMetadata('role', 'nobody')
  secret(): string {
    return 'never';
  }

  @Get('of/shout')
  @UseInterceptors(Shout)
  shout(): Observable<string> {
    return of('meow');
  }

  @Get('of/promise')
  @UseInterceptors(Shout)
  @SlowThreshold(10)
  async promise(): Promise<string> {
    await sleep(15);
    return 'purr';
  }

  @Get('of/bound')
  @UseInterceptors(PerformanceInterceptor, Shout)
  @SlowThreshold(10)
  async bound(): Promise<string> {
    return 'purr';
  }

  @Get('of/observable')
  @SlowThreshold(10)
  observable(): Observable<string> {
    return from(sleep(20).then(() => 'late'));
  }

  @Get('of/error')
  async error(): Promise<never> {
    throw new RangeError('of the handler');
  }

  @Get('of/refused')
  refused(): never {
    throw new BadRequestException('refused');
  }

  @Get('of/itself')
  itself(): string {
    return this.shout() === undefined ? '' : this.overridden();
  }
}

@Controller('dogs')
class DogsController extends Crud {}

@Controller({ path: 'birds', scope: Scope.REQUEST })
class BirdsController extends Crud {}

const CONTROLLERS = [CatsController, DogsController, BirdsController, ResolvedController];
const ORIGINALS = [
  [Crud.prototype, 'one', Crud.prototype.one],
  [Crud.prototype, 'overridden', Crud.prototype.overridden],
  [CatsController.prototype, 'overridden', CatsController.prototype.overridden],
  [CatsController.prototype, 'create', CatsController.prototype.create],
] as const;

let application: TestApplication;
afterEach(() => application.app.close());
const get = async (path: string, init?: RequestInit): Promise<[number, string]> => {
  const response = await fetchFromOutside(application.url + path, init);
  return [response.status, await response.text()];
};
const slow = (name: string) =>
  until(() => application.monitor.getSlowOperations().some((one) => one.name === name)).then(() =>
    application.monitor.getSlowOperations().find((one) => one.name === name),
  );

describe.each(PLATFORMS)('a route handler on %s', (platform) => {
  const start = async (options = {}): Promise<void> => {
    application = await startApplication(platform, { controllers: CONTROLLERS }, options);
  };

  it('answers as without the module: parameters, pipes, guards, status, headers and interceptors', async () => {
    await start();
    expect(await get('/cats/1')).toEqual([200, 'CatsController 2']);
    expect((await get('/cats/x'))[0]).toBe(400);
    expect((await get('/cats/of/nobody'))[0]).toBe(403);
    expect(await get('/cats/of/shout')).toEqual([200, 'meow!']);
    const created = await fetchFromOutside(`${application.url}/cats`, {
      method: 'POST',
      body: '{"name":"Tom"}',
      headers: { 'content-type': 'application/json' },
    });
    expect([created.status, created.headers.get('x-cat'), await created.json()]).toEqual([
      202,
      'yes',
      { name: 'Tom' },
    ]);
    expect((await get('/cats/of/error'))[0]).toBe(500);
    expect((await get('/cats/of/refused'))[0]).toBe(400);
  });

  it('is named by the class that inherits it, and calls of its base stay its own', async () => {
    await start({ httpThresholdMs: 0 });
    for (const path of ['/cats/1', '/dogs/1', '/birds/1', '/cats/1/overridden', '/dogs/1/overridden'])
      await get(path);
    expect(await get('/cats/2/overridden')).toEqual([200, 'cat over base']);
    const names = async (route: string) => (await slow(route))?.http?.handler;
    expect(await names('GET /cats/:id')).toBe('CatsController.one');
    expect(await names('GET /dogs/:id')).toBe('DogsController.one');
    expect(await names('GET /birds/:id')).toBe('BirdsController.one');
    expect(await names('GET /cats/:id/overridden')).toBe('CatsController.overridden');
    expect(await names('GET /dogs/:id/overridden')).toBe('DogsController.overridden');
  });

  it('is timed without the interceptors around it', async () => {
    await start();
    await get('/cats/of/promise');
    const http = (await slow('GET /cats/of/promise'))?.http;
    expect(http?.beforeHandlerMs).toBeGreaterThan(25);
    expect(http?.handlerMs).toBeGreaterThan(12);
    expect(http?.handlerMs).toBeLessThan((http?.beforeHandlerMs ?? 0) + 15);
  });

  it('is timed with the interceptors within PerformanceInterceptor where that is bound', async () => {
    await start();
    await get('/cats/of/bound');
    const bound = (await slow('GET /cats/of/bound'))?.http;
    expect(bound?.handlerMs).toBeGreaterThan(25);
    await application.app.close();
    await start({ http: { interceptor: true } });
    await get('/cats/of/promise');
    expect((await slow('GET /cats/of/promise'))?.http?.handlerMs).toBeGreaterThan(40);
  });

  it('ends with the Observable that it returns', async () => {
    await start();
    expect(await get('/cats/of/observable')).toEqual([200, 'late']);
    expect((await slow('GET /cats/of/observable'))?.http?.handlerMs).toBeGreaterThan(15);
  });

  it('gives the request the name of its error', async () => {
    await start();
    await get('/cats/of/error');
    await get('/cats/of/refused');
    await until(() => application.operation('GET /cats/of/refused')?.count === 1);
    expect(application.operation('GET /cats/of/error')).toMatchObject({ count: 1, errorCount: 1 });
    expect(application.operation('GET /cats/of/refused')).toMatchObject({ count: 1, errorCount: 0 });
  });

  it('is the first one of the request, whatever it calls', async () => {
    await start({ httpThresholdMs: 0 });
    await get('/cats/of/itself');
    expect((await slow('GET /cats/of/itself'))?.http?.handler).toBe('CatsController.itself');
  });

  it('is what guards see on the class, with its metadata', async () => {
    await start();
    handled.length = 0;
    await get('/cats/of/nobody');
    expect(handled).toEqual([CatsController.prototype.secret]);
  });

  it('adds no reaction to what a resolver returns, which would hide a rejection that nobody handles', async () => {
    await start();
    expect(await get('/resolved/reactions')).toEqual([200, '0']);
  });

  it('is the original again when the application has closed', async () => {
    await start();
    for (const [prototype, name, original] of ORIGINALS)
      expect((prototype as unknown as Record<string, unknown>)[name]).not.toBe(original);
    await application.app.close();
    for (const [prototype, name, original] of ORIGINALS)
      expect((prototype as unknown as Record<string, unknown>)[name]).toBe(original);
  });

  it('is not touched when the module is disabled', async () => {
    await start({ enabled: false });
    for (const [prototype, name, original] of ORIGINALS)
      expect((prototype as unknown as Record<string, unknown>)[name]).toBe(original);
  });
});

@Controller({ path: 'fish', version: '1' })
class FishController {
  @Get()
  all(): string {
    return '1';
  }

  @Get()
  @Version(['2', '3'])
  newer(): string {
    return '2';
  }

  @Get('neutral')
  @Version(VERSION_NEUTRAL)
  neutral(): string {
    return 'any';
  }
}

@Controller({ path: 'fish', host: 'admin.localhost' })
class AdminFishController {
  @Get('admin')
  admin(): string {
    return 'admin';
  }
}

describe.each(PLATFORMS)('handlers of one path on %s', (platform) => {
  const start = async (versioning: VersioningOptions): Promise<void> => {
    application = await startApplication(platform, {
      controllers: [FishController, AdminFishController],
      before: (app) => app.enableVersioning(versioning),
    });
  };
  const names = async (count: number): Promise<string[]> => {
    await until(() => application.monitor.getStats().byType['http']?.count === count);
    return application.monitor
      .getStats()
      .operations.map(({ name }) => name)
      .sort();
  };

  it('are distinguished by the version in a header', async () => {
    await start({ type: VersioningType.HEADER, header: 'x-version' });
    for (const version of ['1', '2', '3'])
      expect((await get('/fish', { headers: { 'x-version': version } }))[0]).toBe(200);
    await get('/fish/neutral');
    expect(await names(4)).toEqual([
      'GET /fish (version 1)',
      'GET /fish (version 2, 3)',
      'GET /fish/neutral',
    ]);
  });

  it('are distinguished by their host', async () => {
    await start({ type: VersioningType.URI });
    const ask = request(`${application.url}/fish/admin`, { headers: { host: 'admin.localhost' } }).end();
    const [response] = (await once(ask, 'response')) as [IncomingMessage];
    expect(response.resume().statusCode).toBe(200);
    expect(await names(1)).toEqual(['GET admin.localhost/fish/admin']);
  });

  it('are named by their route alone where it contains the version', async () => {
    await start({ type: VersioningType.URI });
    for (const path of ['/v1/fish', '/v2/fish', '/v3/fish']) expect((await get(path))[0]).toBe(200);
    expect(await names(3)).toEqual(['GET /v1/fish', 'GET /v2/fish', 'GET /v3/fish']);
  });
});

describe('a controller of two applications', () => {
  it('is counted in the one that serves the request, also when the other has closed', async () => {
    application = await startApplication('express', { controllers: CONTROLLERS }, { httpThresholdMs: 0 });
    const other = await startApplication('express', { controllers: CONTROLLERS }, { httpThresholdMs: 0 });
    await (await fetchFromOutside(`${other.url}/dogs/1`)).text();
    await until(() => other.operation('GET /dogs/:id')?.count === 1);
    expect(application.operation('GET /dogs/:id')).toBeUndefined();
    const closed = once(other.app.getHttpServer(), 'close');
    await other.app.close();
    await closed;
    await get('/dogs/1');
    expect((await slow('GET /dogs/:id'))?.http?.handler).toBe('DogsController.one');
  });
});
