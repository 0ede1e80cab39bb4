import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type Observable, tap } from 'rxjs';
import { servedRequest } from '../tracing/active-request.js';
import type { HandlerInfo } from '../tracing/handler-info.js';
import { httpHandlerInfo } from './handlers/http-handler-info.js';

type Class = new (...args: never[]) => unknown;

/**
 * Counts pipes and the interceptors within this one to the time of the handler. Without it, the handler is its method alone.
 * Everything else of a request is measured without it. Bind it with `@UseInterceptors(PerformanceInterceptor)`, or to all
 * routes with the option `http.interceptor`.
 */
@Injectable()
export class PerformanceInterceptor implements NestInterceptor {
  private readonly handlers = new WeakMap<Class, Map<object, HandlerInfo>>();

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (execution.getType() !== 'http') return next.handle();
    const served = servedRequest(execution.switchToHttp().getRequest());
    if (served === undefined) return next.handle();
    if (!served.handlerStarted(this.infoOf(execution.getClass(), execution.getHandler())))
      return next.handle();
    return next.handle().pipe(
      tap({
        error: (error: unknown) => served.handlerFailed(error),
        finalize: () => served.handlerEnded(),
      }),
    );
  }

  private infoOf(controller: Class, handler: object): HandlerInfo {
    let handlers = this.handlers.get(controller);
    if (handlers === undefined) {
      handlers = new Map();
      this.handlers.set(controller, handlers);
    }
    let info = handlers.get(handler);
    if (info === undefined) {
      info = httpHandlerInfo(controller, handler);
      handlers.set(handler, info);
    }
    return info;
  }
}
