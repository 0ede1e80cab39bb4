import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

type Method = (this: unknown, ...args: unknown[]) => unknown;

interface ExpressInstance extends EventEmitter {
  handle: Method;
  readonly mountpath: unknown;
}

/** A request of Fastify with the options of its route. */
export interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly routeOptions?: { readonly url?: unknown };
}

interface FastifyInstance {
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequest, reply: { raw: ServerResponse }, done: () => void) => void,
  ): unknown;
}

/** Runs code in the context of a request. */
export type Run = <T>(work: () => T) => T;

/** Begins a request that no server has begun. Returns what serves it in its context; undefined if it is not measured. */
type Begin = (request: IncomingMessage, response: ServerResponse) => Run | undefined;

/** Receives a request of Fastify, which has chosen its route. Never throws. */
type Matched = (request: FastifyRequest) => void;

/**
 * Measures the requests that a framework receives without a server: Express from serverless adapters, Fastify from `inject`.
 * @param instance the Express application or the Fastify instance
 * @param matched called for each request of Fastify
 * @returns a function that restores the instance
 */
export function measureFramework(instance: unknown, begin: Begin, matched: Matched): () => void {
  if (isExpress(instance)) return wrapHandle(instance, begin);
  if (isFastify(instance)) addHook(instance, begin, matched);
  return () => {};
}

/**
 * Reports where middleware is mounted by `use` from now on.
 * @param application an Express application, or another object with the method `use`
 * @returns a function that restores the application
 */
export function watchMounts(application: object, add: (path: unknown) => void): () => void {
  const { use: original } = application as { use?: unknown };
  if (typeof original !== 'function') return () => {};
  const restore = replaceMethod(
    application,
    'use',
    original as Method,
    (use) =>
      function (this: unknown, ...args) {
        add(args[0]);
        return Reflect.apply(use, this, args);
      },
  );
  if (!isExpress(application)) return restore;
  // It may itself be mounted in another application.
  const onMount = (): void => add(application.mountpath);
  onMount();
  application.on('mount', onMount);
  return () => {
    restore();
    application.off('mount', onMount);
  };
}

function wrapHandle(instance: ExpressInstance, begin: Begin): () => void {
  return replaceMethod(
    instance,
    'handle',
    instance.handle,
    (handle) =>
      function (this: unknown, ...args) {
        const run = begin(args[0] as IncomingMessage, args[1] as ServerResponse);
        const serve = (): unknown => Reflect.apply(handle, this, args);
        return run === undefined ? serve() : run(serve);
      },
  );
}

/** A hook cannot be removed: it passes on the requests that are not measured. */
function addHook(instance: FastifyInstance, begin: Begin, matched: Matched): void {
  // Another tool that measures hooks would make the span of this one the parent of all that follows.
  if (instance.addHook.name !== 'addHook') return;
  instance.addHook('onRequest', (request, reply, done) => {
    const run = begin(request.raw, reply.raw);
    matched(request);
    if (run === undefined) done();
    else run(done);
  });
}

function isExpress(instance: unknown): instance is ExpressInstance {
  if (typeof instance !== 'function') return false;
  const { handle, on } = instance as Partial<ExpressInstance>;
  return typeof handle === 'function' && typeof on === 'function';
}

function isFastify(instance: unknown): instance is FastifyInstance {
  return (
    typeof instance === 'object' &&
    instance !== null &&
    typeof (instance as Partial<FastifyInstance>).addHook === 'function'
  );
}

/** Replaces a method of an object. Returns what restores it, unless another tool has replaced it meanwhile. */
function replaceMethod(
  object: object,
  name: string,
  original: Method,
  wrap: (original: Method) => Method,
): () => void {
  const own = Object.getOwnPropertyDescriptor(object, name);
  const value = wrap(original);
  const isReplaced = Reflect.defineProperty(object, name, {
    value,
    configurable: true,
    writable: true,
    enumerable: own?.enumerable ?? false,
  });
  return () => {
    if (!isReplaced || Object.getOwnPropertyDescriptor(object, name)?.value !== value) return;
    if (own === undefined) Reflect.deleteProperty(object, name);
    else Reflect.defineProperty(object, name, own);
  };
}
