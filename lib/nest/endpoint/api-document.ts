import { type ApiOperation, apiOperation } from './api-documentation.js';
import { createControllers } from './controllers.js';
import { DEFAULT_PATH } from './endpoint-path.js';
import { routesOf } from './endpoint-routes.js';

/** The part of an OpenAPI 3 document that is used. */
export interface ApiDocument {
  // biome-ignore lint/suspicious/noExplicitAny: the types of @nestjs/swagger are the application's.
  paths: Record<string, any>;
}

/**
 * Adds the endpoint's routes, which are not among the application's, to an OpenAPI document.
 *
 * @example SwaggerModule.setup('docs', app, withPerformanceEndpoint(SwaggerModule.createDocument(app, config)));
 * @param document the result of `SwaggerModule.createDocument`; not modified
 * @param endpointPath the value passed to `PerformanceModule.forRoot`. Default `performance`
 * @returns a copy of the document with the routes
 */
export function withPerformanceEndpoint<T extends ApiDocument>(document: T, endpointPath = DEFAULT_PATH): T {
  const added = new Map<string, Record<string, ApiOperation>>();
  for (const controller of createControllers(endpointPath)) {
    for (const { method, path, handler, name } of routesOf(controller)) {
      const operation = apiOperation(handler, `${controller.name}_${name}`, path);
      if (operation === undefined) continue;
      const template = path.replace(/:(\w+)/g, '{$1}');
      added.set(template, { ...added.get(template), [method.toLowerCase()]: operation });
    }
  }
  return { ...document, paths: { ...document.paths, ...Object.fromEntries(added) } };
}
