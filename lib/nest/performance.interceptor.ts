import 'reflect-metadata';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type Observable, tap } from 'rxjs';
import { HandlerInfo, servedRequest } from '../tracing/served-request.js';
import { slowThresholdOf } from './decorators/slow-threshold.decorator.js';

type Class = new (...args: never[]) => unknown;
type Handler = (...args: never[]) => unknown;

/** The metadata key of Nest's `@Sse()`, which Nest does not export. */
const SSE_METADATA = '__sse__';

/**
 * Records which handler serves a request, its threshold, and its start and end. The rest of the request (guards,
 * serialization, 403 and 404) is measured at the server. The module binds it to all routes.
 */
@Injectable()
export class PerformanceInterceptor implements NestInterceptor {
  private readonly handlers = new WeakMap<Class, Map<Handler, HandlerInfo>>();

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (execution.getType() !== 'http') return next.handle();
    const served = servedRequest(execution.switchToHttp().getRequest());
    if (served === undefined) return next.handle();
    served.handlerStarted(this.infoOf(execution.getClass(), execution.getHandler() as Handler));
    return next.handle().pipe(
      tap({
        error: (error: unknown) => {
          if (error instanceof Error) served.errorName = error.name;
        },
        finalize: () => served.handlerEnded(),
      }),
    );
  }

  private infoOf(controller: Class, handler: Handler): HandlerInfo {
    let handlers = this.handlers.get(controller);
    if (handlers === undefined) {
      handlers = new Map();
      this.handlers.set(controller, handlers);
    }
    let info = handlers.get(handler);
    if (info === undefined) {
      // The duration of an event stream depends on its client, so it is never slow.
      const stream = Reflect.getMetadata(SSE_METADATA, handler) === true;
      const thresholdMs = stream ? Number.POSITIVE_INFINITY : slowThresholdOf(handler, controller);
      info = new HandlerInfo(`${controller.name}.${handler.name}`, thresholdMs);
      handlers.set(handler, info);
    }
    return info;
  }
}
