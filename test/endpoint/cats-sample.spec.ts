import { get } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheInterceptor, CacheModule } from '@nestjs/cache-manager';
import {
  type ArgumentMetadata,
  type ArgumentsHost,
  BadRequestException,
  Body,
  type CallHandler,
  type CanActivate,
  Catch,
  ClassSerializerInterceptor,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpException,
  type INestApplication,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestInterceptor,
  type NestMiddleware,
  Param,
  type PipeTransform,
  Post,
  RequestMethod,
  SetMetadata,
  type Type,
  UseGuards,
  UseInterceptors,
  VersioningType,
} from '@nestjs/common';
import { APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import { context } from '@opentelemetry/api';
import compression from 'compression';
import { map, type Observable, tap } from 'rxjs';
import { UNTRACED } from '../../lib/async/untraced.js';
import {
  fetchFromOutside,
  PLATFORMS,
  startApplication,
  type TestApplication,
} from '../support/application.js';

// As in sample/01-cats-app of Nest: its interceptors, pipes, filter, guard and middleware are global.

/** Whether the global interceptors do anything: both answers are given by the same application in the same state. */
let active = true;
const touched: string[] = [];
function touch(execution: ExecutionContext): boolean {
  if (active) touched.push(execution.switchToHttp().getRequest<{ url: string }>().url);
  return active;
}

@Injectable()
class LoggingInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const startedAt = Date.now();
    return touch(execution) ? next.handle().pipe(tap(() => Date.now() - startedAt)) : next.handle();
  }
}

@Injectable()
class TransformInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    return touch(execution) ? next.handle().pipe(map((data) => ({ data }))) : next.handle();
  }
}

@Injectable()
class CopyingInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const copy = map((data) => JSON.parse(JSON.stringify(data ?? null)) as unknown);
    return touch(execution) ? next.handle().pipe(copy) : next.handle();
  }
}

@Injectable()
class CachingInterceptor extends CacheInterceptor {
  override async intercept(execution: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    return touch(execution) ? super.intercept(execution, next) : next.handle();
  }
}

@Injectable()
class ValidationPipe implements PipeTransform {
  transform(value: unknown, { metatype }: ArgumentMetadata): unknown {
    if (metatype === CreateCatDto && !Number.isInteger((value as CreateCatDto)?.age))
      throw new BadRequestException('Validation failed');
    return value;
  }
}

@Injectable()
class ParseIntPipe implements PipeTransform {
  transform(value: string): number {
    const parsed = Number.parseInt(value, 10);
    if (Number.isNaN(parsed)) throw new BadRequestException('Validation failed');
    return parsed;
  }
}

@Catch(HttpException)
class HttpExceptionFilter implements ExceptionFilter {
  catch(exception: HttpException, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const answer = { statusCode: exception.getStatus(), path: http.getRequest().url, cat: 'sad' };
    http.getResponse().status(exception.getStatus()).send(answer);
  }
}

const Roles = (...roles: string[]) => SetMetadata('roles', roles);

@Injectable()
class RolesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}
  canActivate(execution: ExecutionContext): boolean {
    const roles = this.reflector.get<string[]>('roles', execution.getHandler());
    return roles === undefined || roles.includes(execution.switchToHttp().getRequest().headers['x-role']);
  }
}

class CreateCatDto {
  name = '';
  age = 0;
}

@Injectable()
class CatsService {
  private readonly cats: CreateCatDto[] = [];
  create(cat: CreateCatDto): void {
    this.cats.push(cat);
  }
  findAll(): CreateCatDto[] {
    return this.cats;
  }
}

@UseGuards(RolesGuard)
@Controller('cats')
class CatsController {
  constructor(private readonly cats: CatsService) {}
  @Post()
  @Roles('admin')
  async create(@Body() cat: CreateCatDto): Promise<void> {
    this.cats.create(cat);
  }
  @Get()
  @UseInterceptors(TransformInterceptor)
  async findAll(): Promise<CreateCatDto[]> {
    return this.cats.findAll();
  }
  @Get(':id')
  findOne(@Param('id', new ParseIntPipe()) id: number): string {
    return `cat ${id}`;
  }
}

@Injectable()
class LoggerMiddleware implements NestMiddleware {
  use(_request: unknown, _response: unknown, next: () => void): void {
    next();
  }
}

@Module({ controllers: [CatsController], providers: [CatsService] })
class CatsModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(LoggerMiddleware).forRoutes({ path: 'cats', method: RequestMethod.ALL });
  }
}

/** With a serializer in place of class-transformer. */
@Injectable()
class SerializingInterceptor extends ClassSerializerInterceptor {
  constructor(reflector: Reflector) {
    const instanceToPlain = (value: object): object => ({ ...value, serialized: true });
    super(reflector, {
      transformerPackage: { classToPlain: instanceToPlain, instanceToPlain, plainToInstance: () => ({}) },
    } as never);
  }
  override async intercept(execution: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    return touch(execution) ? super.intercept(execution, next) : next.handle();
  }
}

const interceptors = [
  LoggingInterceptor,
  TransformInterceptor,
  CopyingInterceptor,
  CachingInterceptor,
  SerializingInterceptor,
];
@Module({
  imports: [CacheModule.register({ isGlobal: true, ttl: 60_000 }), CatsModule],
  providers: interceptors.map((useClass: Type) => ({ provide: APP_INTERCEPTOR, useClass })),
})
class AppModule {}

const ROUTES = [
  ...['', '/', '/ui/app.js', '/ui/app.css', '/overview', '/stats', '/slow', '/findings', '/queries'],
  ...['/report', '/report.json', '/report.md', '/report.html', '/report/schema', '/metrics', '/baseline'],
  ...['/profiles', '/slow/unknown', '/profiles/unknown', '/stats?operations=none', '/ui/unknown'],
];

describe.each(PLATFORMS)('the cats sample of Nest on %s', (platform) => {
  let application: TestApplication | undefined;
  afterEach(async () => {
    active = true;
    touched.length = 0;
    await application?.app.close();
    application = undefined;
  });

  const start = async (before?: (app: INestApplication) => void): Promise<void> => {
    application = await startApplication(
      platform,
      {
        imports: [AppModule],
        before: (app) => {
          app.useGlobalPipes(new ValidationPipe());
          app.useGlobalFilters(new HttpExceptionFilter());
          before?.(app);
        },
      },
      { httpThresholdMs: 0 },
    );
  };

  const request = async (
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<{ status: number; headers: Record<string, string>; body: string }> => {
    const response = await fetchFromOutside(`${application?.url}${path}`, {
      ...init,
      headers: { connection: 'close', ...init.headers },
    });
    const { 'content-length': _length, date: _date, ...headers } = Object.fromEntries(response.headers);
    return { status: response.status, headers, body: await response.text() };
  };

  /** Bytes, apart from the digits of what moves with time. */
  const answerOf = async (path: string, method = 'GET') => {
    const answer = await request(path, { method });
    const isFixed = /^\/performance(\/ui\/.*|\/?|\/report\/schema)$/.test(path);
    return isFixed ? answer : { ...answer, body: withoutFigures(answer.body) };
  };

  /** Status, headers and the body of fixed answers: two applications differ in what they have counted. */
  const shapes = async (): Promise<Record<string, unknown>> => {
    const all: Record<string, unknown> = {};
    for (const path of ROUTES) {
      const { body, ...answer } = await answerOf(`/performance${path}`);
      const isFixed = path.startsWith('/ui/') || answer.status !== 200;
      all[path] = { ...answer, body: isFixed ? body : body[0] };
    }
    return all;
  };

  const firstMessage = (): Promise<string> =>
    new Promise((resolve, reject) => {
      context.with(UNTRACED, () => {
        get(`${application?.url}/performance/stream`, { agent: false }, (response) => {
          response.once('data', (data) => {
            resolve(withoutFigures(String(data)));
            response.destroy();
          });
        }).once('error', reject);
      });
    });

  const useTheCats = async (): Promise<void> => {
    const headers = { 'content-type': 'application/json', 'x-role': 'admin' };
    const body = JSON.stringify({ name: 'Pixel', age: 2 });
    expect((await request('/cats', { method: 'POST', headers, body })).status).toBe(201);
    expect(
      (await request('/cats', { method: 'POST', headers: { ...headers, 'x-role': '' }, body })).body,
    ).toContain('sad');
    expect(JSON.parse((await request('/cats/7')).body)).toEqual({ data: 'cat 7' });
    expect((await request('/cats/tom')).status).toBe(400);
  };

  it('answers below the path byte for byte as without its interceptors, again and again', async () => {
    await start();
    await useTheCats();
    touched.length = 0;
    const [slow] = JSON.parse((await request('/performance/slow')).body) as { id: string }[];
    const unmatched = ['/nothing', '/slow/a/b'];
    const paths = [...ROUTES, ...unmatched, `/slow/${slow?.id}`].map((path) => `/performance${path}`);
    const takes = [
      ...paths.map((path) => () => answerOf(path)),
      () => answerOf('/performance/stats', 'POST'),
      firstMessage,
    ];
    for (const take of takes) {
      // What was counted may move between two answers: an interceptor would change every one.
      for (let attempt = 1; ; attempt++) {
        active = false;
        const without = await take();
        active = true;
        const first = await take();
        const again = await take();
        if (attempt < 5 && JSON.stringify([without, without]) !== JSON.stringify([first, again])) continue;
        expect([first, again]).toEqual([without, without]);
        break;
      }
    }
    expect(touched).toEqual([]);
    expect(application?.operation('GET /cats/:id')).toMatchObject({ count: 2 });
  });

  it.each<[string, (app: INestApplication) => unknown]>([
    ['a global prefix', (app) => app.setGlobalPrefix('api')],
    [
      'a global prefix that excludes it',
      (app) => app.setGlobalPrefix('api', { exclude: ['performance', 'performance/*path'] }),
    ],
    ['versions in the URI', (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' })],
    [
      'versions in a header',
      (app) =>
        app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version', defaultVersion: '2' }),
    ],
    [
      'versions in the media type',
      (app) => app.enableVersioning({ type: VersioningType.MEDIA_TYPE, key: 'v=', defaultVersion: '2' }),
    ],
    [
      'versions by a function',
      (app) =>
        app.enableVersioning({ type: VersioningType.CUSTOM, extractor: () => '3', defaultVersion: '2' }),
    ],
  ])('answers byte for byte the same with %s', async (_what, before) => {
    await start();
    const without = await shapes();
    await application?.app.close();
    await start(before);
    expect(await shapes()).toEqual(without);
  });

  if (platform === 'express')
    it('answers the same content below a compression, and its stream at once', async () => {
      await start((app) => app.use(compression({ threshold: 0 })));
      const plain = await request('/performance/ui/app.js', { headers: { 'accept-encoding': 'identity' } });
      const compressed = await request('/performance/ui/app.js', { headers: { 'accept-encoding': 'gzip' } });
      expect(compressed.body).toBe(plain.body);
      expect(JSON.parse((await request('/performance/stats')).body)).toHaveProperty('byType');
      expect(await firstMessage()).toMatch(/^retry: #\n\nevent: overview\n/);
    });
});

function withoutFigures(text: string): string {
  return text.replace(/\b[\da-f]{16,}\b|\d[\d.]*(e[+-]\d+)?/g, '#');
}
