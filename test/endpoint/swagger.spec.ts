import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { withPerformanceEndpoint } from '../../lib/index.js';
import { PLATFORMS, startApplication } from '../support/application.js';

@Controller('albums')
class AlbumsController {
  @Get()
  list(): string[] {
    return [];
  }
}

describe.each(PLATFORMS)('the document of @nestjs/swagger on %s', (platform) => {
  let app: INestApplication | undefined;
  afterEach(async () => {
    await app?.close();
  });

  const document = async (): Promise<OpenAPIObject> => {
    ({ app } = await startApplication(platform, { controllers: [AlbumsController] }));
    return SwaggerModule.createDocument(app, new DocumentBuilder().setTitle('Shop').build());
  };

  it('excludes the endpoint by default', async () => {
    expect(Object.keys((await document()).paths)).toEqual(['/albums']);
  });

  it('includes its data routes on request, but not the routes of the page', async () => {
    const { paths, info } = withPerformanceEndpoint(await document());
    expect(info.title).toBe('Shop');
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, { tags?: string[]; summary?: string }>)
        .filter(([, { tags }]) => tags?.includes('Performance'))
        .map(([method, { summary }]) => [`${method} ${path}`, summary]),
    );
    expect(described.map(([route]) => route).sort()).toEqual([
      'delete /performance/stats',
      'get /performance/baseline',
      'get /performance/findings',
      'get /performance/findings/{id}',
      'get /performance/fleet',
      'get /performance/metrics',
      'get /performance/operation',
      'get /performance/overview',
      'get /performance/profiles',
      'get /performance/profiles/{id}',
      'get /performance/profiles/{id}/info',
      'get /performance/queries',
      'get /performance/release',
      'get /performance/release.json',
      'get /performance/release.md',
      'get /performance/report',
      'get /performance/report.html',
      'get /performance/report.json',
      'get /performance/report.md',
      'get /performance/report/schema',
      'get /performance/slow',
      'get /performance/slow/{id}',
      'get /performance/stats',
      'post /performance/mcp',
      'post /performance/profiles',
    ]);
    expect(described.every(([, summary]) => (summary ?? '').length > 10)).toBe(true);
    expect(Object.keys(paths).sort()).toEqual(
      ['/albums', ...new Set(described.map(([route = '']) => route.split(' ')[1] ?? ''))].sort(),
    );
  });

  it('describes parameters', async () => {
    const { paths } = withPerformanceEndpoint(await document());
    const { parameters } = paths['/performance/findings']?.get ?? {};
    expect(parameters).toEqual([
      { name: 'limit', in: 'query', required: false, schema: { type: 'integer', minimum: 1, maximum: 1000 } },
      {
        name: 'type',
        in: 'query',
        required: false,
        schema: { type: 'string', enum: expect.arrayContaining(['n_plus_one', 'memory_leak']) },
      },
    ]);
    expect(paths['/performance/slow/{id}']?.get?.parameters).toEqual([
      expect.objectContaining({ name: 'id', in: 'path', required: true }),
    ]);
  });

  it('uses the path of the endpoint, and does not modify the document', async () => {
    const given = await document();
    const { paths } = withPerformanceEndpoint(given, 'internal/speed');
    expect(paths['/internal/speed/slow/{id}']?.get?.operationId).toBe('PerformanceController_slowOperation');
    expect(Object.keys(given.paths)).toEqual(['/albums']);
    expect(() => withPerformanceEndpoint(given, 'not a path')).toThrow(
      'Invalid endpointPath: received "not a path"',
    );
  });
});
