import 'reflect-metadata';
import { milliseconds } from '../../validation/checks.js';
import { formatValue } from '../../validation/options-error.js';

const SLOW_THRESHOLD = Symbol.for('nestjs-performance.slow-threshold');

/**
 * Gives a route handler, or all of a controller's, a threshold of its own in milliseconds. The handler's stands
 * over the controller's, and both over `httpThresholdMs`.
 * @throws RangeError for a threshold that is not a number of milliseconds, 0 to 86400000
 */
export function SlowThreshold(thresholdMs: number): ClassDecorator & MethodDecorator {
  if (!milliseconds.accepts(thresholdMs)) {
    throw new RangeError(
      `@SlowThreshold: the threshold is ${formatValue(thresholdMs)}, which is not allowed: give ${milliseconds.allowed}`,
    );
  }
  return (target: object, property?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (property !== undefined && typeof descriptor?.value !== 'function') {
      throw new TypeError(
        `@SlowThreshold on ${String(property)}, which is not a method: put it on a route handler or a controller`,
      );
    }
    Reflect.defineMetadata(SLOW_THRESHOLD, thresholdMs, descriptor?.value ?? target);
  };
}

/** The threshold of a route handler, in milliseconds, or that of its controller. */
export function slowThresholdOf(handler: object, controller: object): number | undefined {
  return (Reflect.getMetadata(SLOW_THRESHOLD, handler) ?? Reflect.getMetadata(SLOW_THRESHOLD, controller)) as
    | number
    | undefined;
}
