import 'reflect-metadata';
import { Inject, Injectable, Logger, RequestMethod, type Type } from '@nestjs/common';
import { ExternalContextCreator, HttpAdapterHost } from '@nestjs/core';
import { servedRequest } from '../../tracing/served-request.js';
import { Answer } from './answer.js';
import type { EndpointRequest } from './endpoint-access.js';
import { type AnyResponse, takeOver } from './framework-response.js';

/** The instances of the endpoint's controllers. */
export const ENDPOINT_CONTROLLERS = Symbol('nestjs-performance endpoint controllers');

/** What a handler of the endpoint returns; nothing where it already wrote the response. */
export type Answered = Answer | undefined;
type Handler = (request: EndpointRequest, response: AnyResponse) => Answered | Promise<Answered>;
type Serve = (request: EndpointRequest, response: AnyResponse, next?: unknown) => Promise<void>;

/** A route as the decorators of its handler say. */
export interface EndpointRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the path of the endpoint, such as `/performance/slow/:id`. */
  readonly path: string;
  readonly handler: Handler;
  /** The name of the handler in its class. */
  readonly name: string;
}

/** Where Nest's decorators leave what they are given. */
const PATH = 'path';
const METHOD = 'method';

/**
 * Registers the endpoint's controllers with the HTTP server itself. Nest would run them through everything that the
 * application has for its own routes: interceptors that wrap or cache answers, pipes, filters, prefixes, versions; and
 * it would announce them among those. Guards stay in force: the application's global ones, and ours.
 */
@Injectable()
export class EndpointRoutes {
  private readonly logger = new Logger('PerformanceModule');

  constructor(
    @Inject(ENDPOINT_CONTROLLERS) private readonly controllers: readonly object[],
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(ExternalContextCreator) private readonly contexts: ExternalContextCreator,
  ) {}

  /** After the application's middleware and before it serves. Does nothing where there is no HTTP server. */
  register(): void {
    const { httpAdapter } = this.host;
    if (!httpAdapter) return;
    const isFastify = httpAdapter.getType() === 'fastify';
    const stack = isFastify ? undefined : expressStack(httpAdapter.getInstance());
    const before = stack?.length ?? 0;
    for (const controller of this.controllers) {
      const type = controller.constructor as Type;
      for (const route of routesOf(type)) {
        const serve = this.serving(controller, route);
        this.add(httpAdapter, route.method, route.path, serve);
        // Fastify distinguishes `performance/` from `performance`.
        if (isFastify && route.path === pathOf(type))
          this.add(httpAdapter, route.method, `${route.path}/*`, serve);
      }
    }
    if (stack !== undefined) moveBeforeControllers(stack, before);
  }

  private add(
    adapter: NonNullable<HttpAdapterHost['httpAdapter']>,
    method: EndpointRoute['method'],
    path: string,
    serve: Serve,
  ): void {
    try {
      if (method === 'GET') adapter.get(path, serve);
      else if (method === 'POST') adapter.post(path, serve);
      else adapter.delete(path, serve);
    } catch (error) {
      // Fastify refuses a route that is there already.
      this.logger.warn(
        `The endpoint does not answer ${method} ${path}: ${(error as Error).message}. Give it a path of its own with endpointPath`,
      );
    }
  }

  private serving(controller: object, { handler, name }: EndpointRoute): Serve {
    const guarded = this.contexts.create(
      controller,
      handler as (...args: unknown[]) => unknown,
      name,
      undefined,
      undefined,
      undefined,
      undefined,
      { guards: true, interceptors: false, filters: false },
      'http',
    ) as (...args: unknown[]) => Promise<Answered>;
    return async (request, response, next) => {
      servedRequest(request)?.ignore();
      try {
        const answer = await guarded(request, response, next);
        answer?.writeTo(takeOver(response));
      } catch (error) {
        const answer = Answer.ofError(error);
        if (answer.status === 500)
          this.logger.error(`${name} of the endpoint failed`, (error as Error)?.stack);
        answer.writeTo(takeOver(response));
      }
    };
  }
}

/** A layer of an Express router, as far as it is read. */
interface Layer {
  readonly route?: { readonly stack?: readonly { readonly handle?: unknown }[] };
}

/** The layers that Express asks in order. Absent where this is no Express, or another version's. */
function expressStack(instance: unknown): Layer[] | undefined {
  const app = instance as { _router?: { stack?: unknown }; router?: { stack?: unknown } };
  // In this order: Express 4 throws where `router` is read.
  const stack = (app._router ?? app.router)?.stack;
  return Array.isArray(stack) ? stack : undefined;
}

/**
 * Puts the layers from `start` on before the routes of the application's controllers, one of which may take every path,
 * and leaves them behind its middleware, which may guard every path.
 */
function moveBeforeControllers(stack: Layer[], start: number): void {
  const first = stack.findIndex(({ route }) =>
    route?.stack?.some(({ handle }) => typeof handle === 'function' && Reflect.hasMetadata(METHOD, handle)),
  );
  if (first >= 0 && first < start) stack.splice(first, 0, ...stack.splice(start));
}

/** The routes of a controller, by the decorators of Nest. */
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
