import type { Type } from '@nestjs/common';
import { type ApiOperation, apiOperation } from './api-documentation.js';
import { createBaselineController } from './baseline.controller.js';
import { routesOf } from './endpoint-routes.js';
import { createLoginController } from './login.controller.js';
import { createMetricsController } from './metrics.controller.js';
import { createOverviewController } from './overview.controller.js';
import { createPageController } from './page.controller.js';
import { createPerformanceController } from './performance.controller.js';
import { createProfilesController } from './profiles.controller.js';
import { createReportController } from './report.controller.js';

/** The path of the endpoint where the application gives none. */
export const DEFAULT_PATH = 'performance';

const CREATORS = [
  createPerformanceController,
  createProfilesController,
  createReportController,
  createBaselineController,
  createMetricsController,
  createOverviewController,
  createPageController,
  createLoginController,
];

/** The controllers of the endpoint at this path. @throws TypeError for a path that is none */
export function createControllers(path: string): Type[] {
  return CREATORS.map((create) => create(path));
}

/** What is used of an OpenAPI 3 document. */
export interface ApiDocument {
  // biome-ignore lint/suspicious/noExplicitAny: the types of @nestjs/swagger are the application's.
  paths: Record<string, any>;
}

/**
 * The document with the endpoint's routes added to it. They are not in it otherwise: they are not the application's.
 *
 * @example SwaggerModule.setup('docs', app, withPerformanceEndpoint(SwaggerModule.createDocument(app, config)));
 * @param document as `SwaggerModule.createDocument` makes it; it is not changed
 * @param endpointPath the one given to `PerformanceModule.forRoot`. Default `performance`
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
