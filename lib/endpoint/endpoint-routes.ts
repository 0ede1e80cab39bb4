import 'reflect-metadata';
import { Inject, Injectable, Logger, RequestMethod, type Type } from '@nestjs/common';
import { ExternalContextCreator, HttpAdapterHost } from '@nestjs/core';
import { servedRequest } from '../http/measured-request.js';
import { Answer } from './answer.js';
import type { EndpointRequest } from './endpoint-access.js';
import { type AnyResponse, takeOver } from './framework-response.js';

/** The instances of the endpoint's controllers. */
export const ENDPOINT_CONTROLLERS = Symbol('nestjs-performance endpoint controllers');

/** What a handler of the endpoint returns; nothing where it has answered by itself. */
export type Answered = Answer | undefined;
type Handler = (request: EndpointRequest, response: AnyResponse) => Answered | Promise<Answered>;

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
 * it would announce them among those. Guards stay in force: those of the application that are global, and ours.
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
    for (const controller of this.controllers) {
      const type = controller.constructor as Type;
      for (const route of routesOf(type)) {
        const serve = this.serving(controller, route);
        const paths = [route.path];
        // Fastify tells `performance/` from `performance`.
        if (route.path === pathOf(type) && httpAdapter.getType() === 'fastify') paths.push(`${route.path}/*`);
        for (const path of paths) {
          if (route.method === 'GET') httpAdapter.get(path, serve);
          else if (route.method === 'POST') httpAdapter.post(path, serve);
          else httpAdapter.delete(path, serve);
        }
      }
    }
  }

  private serving(
    controller: object,
    { handler, name }: EndpointRoute,
  ): (request: EndpointRequest, response: AnyResponse, next?: unknown) => Promise<void> {
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
