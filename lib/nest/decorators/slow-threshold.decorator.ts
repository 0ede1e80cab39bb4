import 'reflect-metadata';
import { milliseconds } from '../../validation/checks.js';
import { formatValue, invalid } from '../../validation/options-error.js';

const SLOW_THRESHOLD = Symbol.for('nestjs-performance.slow-threshold');

/**
 * Sets the threshold of a route handler, or of all handlers of a controller, in milliseconds. A handler overrides its
 * controller, and both override `httpThresholdMs`.
 * @throws RangeError for a threshold that is not a number from 0 to 86400000
 */
export function SlowThreshold(thresholdMs: number): ClassDecorator & MethodDecorator {
  if (!milliseconds.accepts(thresholdMs)) {
    throw new RangeError(
      invalid('threshold of @SlowThreshold', formatValue(thresholdMs), milliseconds.allowed),
    );
  }
  return (target: object, property?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (property !== undefined && typeof descriptor?.value !== 'function') {
      throw new TypeError(
        `Invalid use of @SlowThreshold: ${String(property)} is not a method. Decorate a route handler or a controller`,
      );
    }
    Reflect.defineMetadata(SLOW_THRESHOLD, thresholdMs, descriptor?.value ?? target);
  };
}

/** The threshold of a route handler or its controller, in milliseconds. */
export function slowThresholdOf(handler: object, controller: object): number | undefined {
  return (Reflect.getMetadata(SLOW_THRESHOLD, handler) ?? Reflect.getMetadata(SLOW_THRESHOLD, controller)) as
    | number
    | undefined;
}
