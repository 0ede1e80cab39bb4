import 'reflect-metadata';
import type { OperationType } from '../../operation/operation.js';
import { formatValue } from '../../validation/options-error.js';
import { trackCall } from './track.js';
import { TrackedOperation, type TrackOptions } from './tracked-operation.js';

type Method = (this: unknown, ...args: never[]) => unknown;

/** A method decorator of the kind that Nest uses, and of the kind that the language has since. */
export interface TrackPerformanceDecorator {
  (target: object, property: string | symbol, descriptor?: PropertyDescriptor): void;
  <T extends Method>(method: T, context: ClassMethodDecoratorContext): T;
}

/**
 * Measures each call of a method as an operation: its span, statistics, and whether it was slow. The method may
 * return a value, a promise, an Observable or a generator; what it returns, throws and is called with stays the same,
 * as do its name, its length and the metadata of other decorators, above or below.
 *
 * On the span: `TYPE.duration` (ms), `TYPE.error`, with a threshold `TYPE.slow`, and when slow the event
 * `TYPE.slow_operation`.
 *
 * @param type default `internal`
 * @param threshold milliseconds; default: that of the type
 * @throws TypeError or RangeError, when the class is defined, on anything but a method and for options that are
 * not allowed
 */
export function TrackPerformance(type?: OperationType, threshold?: number): TrackPerformanceDecorator;
export function TrackPerformance(options: TrackOptions): TrackPerformanceDecorator;
export function TrackPerformance(
  typeOrOptions: OperationType | TrackOptions = {},
  threshold?: number,
): TrackPerformanceDecorator {
  const options =
    typeof typeOrOptions === 'object' && typeOrOptions !== null
      ? typeOrOptions
      : { type: typeOrOptions, threshold };
  const user = '@TrackPerformance';
  TrackedOperation.from(user, options, '(method)');

  const decorate = (
    target: object,
    propertyOrContext: string | symbol | ClassMethodDecoratorContext | undefined,
    descriptor?: PropertyDescriptor,
  ): Method | undefined => {
    if (typeof propertyOrContext === 'object') {
      if (propertyOrContext.kind !== 'method') throw notAMethod(user, propertyOrContext.name);
      const { name } = propertyOrContext;
      const tracked = TrackedOperation.from(user, options, String(name));
      return track(target as Method, tracked);
    }
    const method: unknown = descriptor?.value;
    if (descriptor === undefined || typeof method !== 'function') {
      throw notAMethod(user, propertyOrContext ?? formatValue(target));
    }
    const owner = typeof target === 'function' ? target : target.constructor;
    const tracked = TrackedOperation.from(user, options, `${owner.name}.${String(propertyOrContext)}`);
    descriptor.value = track(method as Method, tracked);
    return undefined;
  };
  return decorate as TrackPerformanceDecorator;
}

/**
 * Calls a function and measures it as {@link TrackPerformance} does a method, within the active span or, without
 * one, as the beginning of a trace. Returns what the function returns.
 *
 * @param type such as `calculation`
 * @param options `threshold` in milliseconds, `name` (default: the function's, or the type)
 * @throws what the function throws; TypeError or RangeError for options that are not allowed
 */
export function withPerformanceTracking<T>(
  type: OperationType,
  operation: () => T,
  options: Omit<TrackOptions, 'type'> = {},
): T {
  const user = 'withPerformanceTracking';
  if (typeof operation !== 'function') {
    throw new TypeError(
      `${user}: the operation is ${formatValue(operation)}, which is not allowed: give a function`,
    );
  }
  const tracked = TrackedOperation.from(user, { ...options, type }, operation.name || type);
  return trackCall(tracked, operation as Method, undefined, []) as T;
}

function notAMethod(user: string, where: unknown): TypeError {
  return new TypeError(`${user} on ${String(where)}, which is not a method: put it on a method of a class`);
}

/**
 * The method with measurement around it. Everything that other decorators have written on the original is found on
 * it, too: a route or a guard that got lost here would open a door.
 */
function track<T extends Method>(original: T, operation: TrackedOperation): T {
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    return trackCall(operation, original, this, args);
  };
  Object.setPrototypeOf(wrapper, original);
  Object.defineProperty(wrapper, 'name', { value: original.name, configurable: true });
  Object.defineProperty(wrapper, 'length', { value: original.length, configurable: true });
  for (const key of Reflect.getOwnMetadataKeys(original)) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, original), wrapper);
  }
  return wrapper as unknown as T;
}
