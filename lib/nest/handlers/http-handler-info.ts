import 'reflect-metadata';
import { HandlerInfo } from '../../tracing/handler-info.js';
import { slowThresholdOf } from '../decorators/slow-threshold.decorator.js';

/** Metadata keys of Nest, which it does not export. */
const SSE = '__sse__';
const HOST = 'host';
const VERSION = '__version__';

/** What is known of a route handler before any request. */
export function httpHandlerInfo(controller: { readonly name: string }, handler: object): HandlerInfo {
  // The duration of an event stream depends on its client, so it is never slow.
  const isStream = Reflect.getMetadata(SSE, handler) === true;
  const host: unknown = Reflect.getMetadata(HOST, controller);
  const version: unknown = Reflect.getMetadata(VERSION, handler) ?? Reflect.getMetadata(VERSION, controller);
  const thresholdMs = isStream ? Number.POSITIVE_INFINITY : slowThresholdOf(handler, controller);
  return new HandlerInfo(`${controller.name}.${(handler as { name?: string }).name}`, thresholdMs, {
    host: typeof host === 'string' ? host : undefined,
    // A neutral version is a symbol.
    versions: (Array.isArray(version) ? version : [version]).filter((one) => typeof one === 'string'),
  });
}
