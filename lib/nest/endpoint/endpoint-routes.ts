import 'reflect-metadata';
import { type HttpServer, Inject, Injectable, Logger, RequestMethod, type Type } from '@nestjs/common';
import { ExternalContextCreator, HttpAdapterHost } from '@nestjs/core';
import { servedRequest } from '../../tracing/active-request.js';
import { Answer } from './answer.js';
import { EndpointControllers } from './endpoint-controllers.js';
import type { EndpointRequest } from './endpoint-request.js';
import { type AnyResponse, takeOver } from './framework-response.js';

/** The result of an endpoint handler; undefined if it has written the response. */
export type Answered = Answer | undefined;
type Handler = (request: EndpointRequest, response: AnyResponse) => Answered | Promise<Answered>;
type Guarded = (...args: unknown[]) => Promise<Answered>;
type Serve = (request: EndpointRequest, response: AnyResponse, next?: unknown) => Promise<void>;

/** A route, read from the decorators of its handler. */
export interface EndpointRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** The full path, such as `/performance/slow/:id`. */
  readonly path: string;
  readonly handler: Handler;
  /** The method name of the handler. */
  readonly name: string;
}

/** Metadata keys of Nest's decorators. */
const PATH = 'path';
const METHOD = 'method';

/**
 * Registers the endpoint's routes directly with the HTTP adapter, so that the application's interceptors, pipes, filters,
 * prefixes and versions do not apply to them, and they are not listed among its routes. Global guards and the
 * {@link EndpointGuard} do apply.
 */
@Injectable()
export class EndpointRoutes {
  private readonly logger = new Logger('PerformanceModule');

  constructor(
    @Inject(EndpointControllers) private readonly controllers: EndpointControllers,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(ExternalContextCreator) private readonly contexts: ExternalContextCreator,
  ) {}

  /** Called after the application's middleware is registered. Does nothing without an HTTP server. */
  register(): void {
    const { httpAdapter } = this.host;
    if (!httpAdapter) return;
    const router = httpAdapter.getType() === 'fastify' ? undefined : routerOf(httpAdapter.getInstance());
    if (router === undefined) this.addAll(httpAdapter);
    else asOneLayer(router, this.controllers.path, () => this.addAll(httpAdapter));
  }

  /** Registers all routes, at full paths. */
  private addAll(adapter: HttpServer): void {
    const { path, types } = this.controllers;
    for (const type of types) {
      for (const route of routesOf(type)) {
        const serve = this.serving(type, route);
        this.add(adapter, route.method, route.path, serve);
        // Fastify distinguishes `performance/` from `performance`.
        if (adapter.getType() === 'fastify' && route.path === path)
          this.add(adapter, route.method, `${path}/*`, serve);
      }
    }
  }

  private add(adapter: HttpServer, method: EndpointRoute['method'], path: string, serve: Serve): void {
    try {
      if (method === 'GET') adapter.get(path, serve);
      else if (method === 'POST') adapter.post(path, serve);
      else adapter.delete(path, serve);
    } catch (error) {
      // Fastify rejects a duplicate route.
      this.logger.warn(
        `The endpoint could not register ${method} ${path}: ${(error as Error).message}. Set another path with endpointPath.`,
      );
    }
  }

  private serving(type: Type, route: EndpointRoute): Serve {
    let guarded: Promise<Guarded> | undefined;
    return async (request, response, next) => {
      servedRequest(request)?.ignore();
      try {
        guarded ??= this.guarded(type, route);
        const answer = await (await guarded)(request, response, next);
        answer?.writeTo(takeOver(response));
      } catch (error) {
        const answer = Answer.ofError(error);
        if (answer.status === 500)
          this.logger.error(`${route.name} of the endpoint failed`, (error as Error)?.stack);
        answer.writeTo(takeOver(response));
      }
    };
  }

  /** The handler behind the guards: that of the endpoint, and the global ones of the application. */
  private async guarded(type: Type, { handler, name }: EndpointRoute): Promise<Guarded> {
    const controller = await this.controllers.instanceOf(type);
    return this.contexts.create(
      controller as Record<string, unknown>,
      handler as (...args: unknown[]) => unknown,
      name,
      undefined,
      undefined,
      undefined,
      undefined,
      { guards: true, interceptors: false, filters: false },
      'http',
    ) as Guarded;
  }
}

/** The part of an Express router that is used. */
interface Router {
  readonly stack: Layer[];
  all(path: RegExp, serve: RouterHandler): unknown;
  handle: RouterHandler;
}

type RouterHandler = (request: unknown, response: unknown, next: unknown) => void;

interface Layer {
  readonly route?: { readonly stack?: readonly { readonly handle?: unknown }[] };
}

/** The router of Express; undefined for other frameworks and unknown versions. */
function routerOf(instance: unknown): Router | undefined {
  const app = instance as { _router?: Router; router?: Router };
  // In this order, as Express 4 throws on access to `router`.
  const router = app._router ?? app.router;
  return Array.isArray(router?.stack) && typeof router.handle === 'function' ? router : undefined;
}

/**
 * Puts the layers that `add` registers behind a single one, so that Express compares other requests with one expression
 * instead of with every route. It stands before the routes of the application's controllers, one of which may match every
 * path, but after its middleware, which may protect every path. The first request that it matches registers them.
 */
function asOneLayer(router: Router, path: string, add: () => void): void {
  const { stack } = router;
  const end = stack.length;
  const below = new RegExp(`^${path.replaceAll('.', '\\.')}(?:/|$)`, 'i');
  let endpoint: Router | undefined;
  router.all(below, (request, response, next) => {
    endpoint ??= within(router, add);
    endpoint.handle(request, response, next);
  });
  const layers = stack.splice(end);
  const first = stack.findIndex(({ route }) =>
    route?.stack?.some(({ handle }) => typeof handle === 'function' && Reflect.hasMetadata(METHOD, handle)),
  );
  stack.splice(first < 0 ? end : first, 0, ...layers);
}

/** A router that has only the layers that `add` registers. */
function within(router: Router, add: () => void): Router {
  const end = router.stack.length;
  add();
  return Object.create(router, { stack: { value: router.stack.splice(end) } });
}

/** The routes of a controller, read from Nest's decorators. */
export function routesOf(controller: Type): EndpointRoute[] {
  const base = pathOf(controller);
  const members = Object.entries(Object.getOwnPropertyDescriptors(controller.prototype));
  return members.flatMap(([name, { value: handler }]): EndpointRoute[] => {
    if (typeof handler !== 'function') return [];
    const method: RequestMethod | undefined = Reflect.getMetadata(METHOD, handler);
    if (method === undefined) return [];
    const path = String(Reflect.getMetadata(PATH, handler));
    return [
      {
        method: RequestMethod[method] as EndpointRoute['method'],
        path: path === '/' ? base : `${base}/${path}`,
        handler,
        name,
      },
    ];
  });
}

function pathOf(controller: Type): string {
  return `/${String(Reflect.getMetadata(PATH, controller)).replace(/^\//, '')}`;
}
