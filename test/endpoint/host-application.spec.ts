import { get, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CacheInterceptor, CacheModule } from '@nestjs/cache-manager';
import {
  type ArgumentsHost,
  BadRequestException,
  type CallHandler,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  type INestApplication,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestInterceptor,
  type PipeTransform,
  Query,
  Req,
  RequestMethod,
  Scope,
  type Type,
  VersioningType,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { map, type Observable, of, timeout } from 'rxjs';
import { EndpointControllers } from '../../lib/nest/endpoint/endpoint-controllers.js';
import { PLATFORMS, startApplication, type TestApplication } from '../support/application.js';

/** The paths of requests that an interceptor received. */
let seen: string[] = [];
function note(context: ExecutionContext): void {
  seen.push(context.switchToHttp().getRequest<{ url: string }>().url);
}

@Injectable()
class Wrapping implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    note(context);
    return next.handle().pipe(map((data) => ({ data })));
  }
}

@Injectable({ scope: Scope.REQUEST })
class Copying implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    note(context);
    return next.handle().pipe(map((data) => JSON.parse(JSON.stringify(data ?? null))));
  }
}

@Injectable()
class Caching extends CacheInterceptor {
  override intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    note(context);
    return super.intercept(context, next);
  }
}

@Injectable()
class Answering implements NestInterceptor {
  intercept(context: ExecutionContext): Observable<unknown> {
    note(context);
    return of('from the interceptor');
  }
}

@Injectable()
class TimingOut implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    note(context);
    return next.handle().pipe(timeout(1));
  }
}

@Injectable()
class Refusing implements PipeTransform {
  transform(): never {
    throw new BadRequestException('No pipe lets this through');
  }
}

@Catch()
class Hiding implements ExceptionFilter {
  catch(_error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse();
    response.status(418).send('hidden');
  }
}

@Controller({ path: 'albums', version: '1' })
class AlbumsController {
  @Get()
  list(): string {
    return 'albums';
  }
  @Get('search')
  search(@Query('q') q: string): string {
    return q;
  }
}

/** The wildcard route of each framework. */
function catchAll(path: string): Type {
  @Controller()
  class CatchAllController {
    @Get([path, ':slug'])
    all(): string {
      return 'caught';
    }
  }
  return CatchAllController;
}

const ROUTES = [
  ...['', '/', '/ui/app.js', '/ui/app.css', '/overview', '/stats', '/slow', '/findings', '/queries'],
  ...['/report', '/report.json', '/report.md', '/report.html', '/report/schema', '/metrics', '/baseline'],
  ...['/profiles', '/slow/unknown', '/profiles/unknown', '/stats?operations=none', '/ui/unknown'],
];

interface Taken {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

/** Replaces figures, which differ between two applications. */
function form(path: string, type: string, body: string): unknown {
  if (/^\/(report\/schema|ui\/.*)?$/.test(path) || path === '') return body;
  if (type.includes('json')) {
    const value: unknown = JSON.parse(body.split('\n', 1)[0] ?? '');
    return Array.isArray(value) ? 'a list' : Object.keys(value as object).sort();
  }
  return body.match(/^# .*|<h\d>[^<]*|<title>[^<]*/gm);
}

describe.each(PLATFORMS)('the independence of the endpoint from the application on %s', (platform) => {
  let application: TestApplication | undefined;
  beforeEach(() => {
    seen = [];
  });
  afterEach(async () => {
    await application?.app.close();
    application = undefined;
  });

  const start = async (
    providers: { provide: string; useClass: Type }[],
    before?: (app: INestApplication) => void,
  ): Promise<void> => {
    @Module({ imports: [CacheModule.register({ isGlobal: true, ttl: 60_000 })], providers })
    class HostModule {}
    application = await startApplication(platform, {
      imports: [HostModule],
      controllers: [AlbumsController],
      before,
    });
  };
  const take = async (path: string): Promise<Taken> => {
    const response = await fetch(`${application?.url}/performance${path}`);
    const headers = Object.fromEntries(response.headers);
    for (const name of ['date', 'content-length', 'etag']) delete headers[name];
    const body = form(path, headers['content-type'] ?? '', await response.text());
    return { status: response.status, headers, body };
  };
  const takeAll = async (): Promise<Record<string, Taken>> => {
    const taken: Record<string, Taken> = {};
    for (const path of ROUTES) {
      taken[path] = await take(path);
    }
    return taken;
  };
  /** Not by `fetch`, which opens a spare connection after a stream, for which a closing server waits. */
  const firstMessage = (): Promise<string> =>
    new Promise((resolve, reject) => {
      get(`${application?.url}/performance/stream`, { agent: false }, (response) => {
        response.once('data', (data) => {
          resolve(String(data));
          response.destroy();
        });
      }).once('error', reject);
    });

  it.each([
    ['wraps', Wrapping],
    ['copies', Copying],
    ['caches', Caching],
    ['answers itself', Answering],
    ['gives up early', TimingOut],
  ] as const)('does not reach the endpoint: an interceptor that %s', async (_what, useClass) => {
    await start([]);
    const without = await takeAll();
    await application?.app.close();
    await start([{ provide: APP_INTERCEPTOR, useClass: useClass as Type }]);
    expect(await takeAll()).toEqual(without);
    // A second request, which a cache would answer.
    expect(await takeAll()).toEqual(without);
    expect(await firstMessage()).toMatch(/^retry: \d+\n\nevent: overview\n/);
    expect(seen).toEqual([]);
    expect((await fetch(`${application?.url}/albums`)).status).toBeGreaterThan(0);
    expect(seen).toEqual(['/albums']);
  });

  it('holds for wildcard routes before and after the module', async () => {
    const path = platform === 'express' ? '*path' : '*';
    @Module({ controllers: [catchAll(path)] })
    class PagesModule {}
    application = await startApplication(platform, {
      imports: [PagesModule],
      // Fastify rejects duplicate routes.
      controllers: platform === 'express' ? [catchAll(path)] : [],
    });
    for (const path of ['', '/stats', '/ui/app.js', '/slow'])
      expect([path, (await take(path)).status, (await take(path)).body === 'caught']).toEqual([
        path,
        200,
        false,
      ]);
    expect(await (await fetch(`${application.url}/elsewhere`)).text()).toBe('caught');
  });

  it('does not extend to middleware, which runs before the endpoint', async () => {
    @Module({})
    class ClosedModule {
      configure(consumer: MiddlewareConsumer): void {
        consumer
          .apply((_request: unknown, response: ServerResponse) => response.writeHead(503).end('closed'))
          .forRoutes({ path: '*path', method: RequestMethod.GET });
      }
    }
    application = await startApplication(platform, {
      imports: [ClosedModule],
      controllers: [AlbumsController],
    });
    for (const path of ['', '/stats', '/stream'])
      expect((await fetch(`${application.url}/performance${path}`)).status).toBe(503);
  });

  it('holds for pipes, filters, a prefix and versions', async () => {
    await start([]);
    const without = await takeAll();
    await application?.app.close();
    await start(
      [
        { provide: APP_PIPE, useClass: Refusing },
        { provide: APP_FILTER, useClass: Hiding },
      ],
      (app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' });
      },
    );
    expect(await takeAll()).toEqual(without);
    expect((await fetch(`${application?.url}/api/albums/search?q=a`)).status).toBe(418);
  });

  it('leaves what it does not serve below its path to the application', async () => {
    @Controller('performance')
    class ReviewsController {
      @Get('reviews/:year')
      review(@Req() request: { url: string; params: object }): unknown {
        return { url: request.url, params: request.params };
      }
    }
    application = await startApplication(platform, { controllers: [ReviewsController] });
    const { url } = application;
    expect(await (await fetch(`${url}/performance/reviews/2026?all`)).json()).toEqual({
      url: '/performance/reviews/2026?all',
      params: { year: '2026' },
    });
    expect((await fetch(`${url}/performance/stats`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${url}/performance/unknown`)).status).toBe(404);
    expect((await fetch(`${url}/performances`)).status).toBe(404);
    const options = await fetch(`${url}/performance/stats`, { method: 'OPTIONS' });
    expect(options.headers.get('allow')?.split(', ').sort()).toEqual(
      platform === 'express' ? ['DELETE', 'GET', 'HEAD'] : undefined,
    );
  });
});

describe('the endpoint on Express', () => {
  let application: TestApplication | undefined;
  afterEach(async () => {
    jest.restoreAllMocks();
    await application?.app.close();
    application = undefined;
  });
  const start = async (endpoint: boolean): Promise<TestApplication> => {
    application = await startApplication(
      'express',
      { controllers: [AlbumsController] },
      { endpoint: { enabled: endpoint } },
    );
    return application;
  };
  const layers = ({ app }: TestApplication): number =>
    (app.getHttpAdapter().getInstance() as { router: { stack: unknown[] } }).router.stack.length;

  it('compares a request of the application with one layer, before and after its own first request', async () => {
    const without = layers(await start(false));
    await application?.app.close();
    const started = await start(true);
    expect(layers(started) - without).toBe(1);
    expect((await fetch(`${started.url}/performance/stats`)).status).toBe(200);
    expect(layers(started) - without).toBe(1);
  });

  it('makes its controllers for its first request, and each of them once', async () => {
    const types = jest.spyOn(EndpointControllers.prototype, 'types', 'get');
    const instanceOf = jest.spyOn(EndpointControllers.prototype, 'instanceOf');
    const { url } = await start(true);
    expect((await fetch(`${url}/albums`)).status).toBe(200);
    expect(types).not.toHaveBeenCalled();
    const paths = ['stats', 'stats', 'slow', 'overview', 'metrics'].map(
      (path) => `${url}/performance/${path}`,
    );
    const answers = await Promise.all(paths.map(async (path) => (await fetch(path)).status));
    expect(answers).toEqual([200, 200, 200, 200, 200]);
    expect(types).toHaveBeenCalledTimes(1);
    const made = await Promise.all(instanceOf.mock.results.map(({ value }) => value as Promise<object>));
    expect(instanceOf).toHaveBeenCalledTimes(4);
    expect(new Set(made).size).toBe(3);
  });
});
