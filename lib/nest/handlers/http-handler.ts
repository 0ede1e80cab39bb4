import { types } from 'node:util';
import { context } from '@opentelemetry/api';
import { reportFault } from '../../async/thrown.js';
import { COST } from '../../overhead/cost-points.js';
import { meter } from '../../overhead/meter.js';
import { activeRequest } from '../../tracing/active-request.js';
import type { HandlerInfo } from '../../tracing/handler-info.js';
import type { ServedRequest } from '../../tracing/served-request.js';
import { type Measured, type Measurement, observeResult } from '../decorators/track.js';
import type { Handler, Method } from './method-wrappers.js';

const { then } = Promise.prototype;

/** A resolver of GraphQL. */
export interface Resolver {
  /** `query`, `mutation` or `subscription`; undefined for one of a field, which may fail, too. */
  readonly type: string | undefined;
  readonly field: string;
}

/**
 * Records which handler serves a request, its threshold, and its start and end. It measures the first handler of a request,
 * which is the one that the framework calls.
 */
export class HttpHandler implements Handler, Measured {
  readonly key: string;

  /**
   * @param otherwise measures calls outside a request
   * @param resolver of GraphQL: all resolvers of an operation are measured, as they run at the same time
   */
  constructor(
    private readonly info: HandlerInfo,
    private readonly otherwise: Handler | undefined,
    private readonly resolver?: Resolver,
  ) {
    this.key = `http ${info.name}`;
  }

  call(method: Method, self: unknown, args: unknown[]): unknown {
    const served = activeRequest();
    if (served === undefined) {
      return this.otherwise === undefined
        ? Reflect.apply(method, self, args)
        : this.otherwise.call(method, self, args);
    }
    return this.begin(served) ? this.measure(served, method, self, args) : Reflect.apply(method, self, args);
  }

  private measure(served: ServedRequest, method: Method, self: unknown, args: unknown[]): unknown {
    let result: unknown;
    try {
      result = Reflect.apply(method, self, args);
    } catch (error) {
      served.handlerFailed(error);
      throw error;
    }
    if (typeof result !== 'object' || result === null || isPlain(result)) served.handlerEnded();
    else if (this.resolver === undefined && isPlainPromise(result)) {
      // Nest calls the first handler of a request and waits for it, so this reaction hides no rejection that nobody handles.
      // A resolver may also be called by others, who need not wait.
      Reflect.apply(then, result, [
        () => served.handlerEnded(),
        (error: unknown) => served.handlerFailed(error),
      ]);
    } else observeResult(this, measurement(served), result);
    return result;
  }

  /** A subscription to an Observable that the handler returned. */
  start(): Measurement | undefined {
    const served = activeRequest();
    return served === undefined ? undefined : measurement(served);
  }

  /** Whether the call is measured. */
  private begin(served: ServedRequest): boolean {
    const measured = meter.enter(COST.handler);
    try {
      if (this.resolver === undefined) return served.handlerStarted(this.info);
      const { type, field } = this.resolver;
      if (type !== undefined) served.resolverStarted(type, field, this.info);
      return true;
    } catch (error) {
      reportFault('a handler could not be measured', error);
      return false;
    } finally {
      meter.leave(COST.handler, measured);
    }
  }
}

/** A plain object or array, as most handlers return that are not asynchronous. Runs no code of it. */
function isPlain(value: object): boolean {
  if (types.isProxy(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype;
}

/** A native promise whose `then` is that of all promises. Runs no code of it. */
function isPlainPromise(value: object): boolean {
  return (
    types.isPromise(value) && !types.isProxy(value) && Object.getPrototypeOf(value) === Promise.prototype
  );
}

function measurement(served: ServedRequest): Measurement {
  const active = context.active();
  return {
    context: active,
    parent: active,
    succeed: () => served.handlerEnded(),
    fail: (error) => served.handlerFailed(error),
    abandon: () => {},
    lose: () => {},
  };
}
