import 'reflect-metadata';
import { types } from 'node:util';
import { processWide } from '../../async/process-wide.js';
import type { OperationType } from '../../operation/operation.js';
import { formatValue, invalid } from '../../validation/options-error.js';
import { trackCall } from './track.js';
import { TrackedOperation, type TrackOptions } from './tracked-operation.js';
import { wrapMethod } from './wrap-method.js';

type Method = (this: unknown, ...args: never[]) => unknown;

/** A method decorator, both for TypeScript's experimental decorators (as in Nest) and for standard decorators. */
export interface TrackPerformanceDecorator {
  (target: object, property: string | symbol, descriptor?: PropertyDescriptor): void;
  <T extends Method>(method: T, context: ClassMethodDecoratorContext): T;
}

/**
 * Measures each call of a method as an operation with a span, statistics and a threshold: a promise until it settles, an
 * Observable for each subscription, a generator until its end. Its arguments, results, errors, name, length and the
 * metadata of other decorators do not change; the result is the same object.
 *
 * The span has the attributes `TYPE.duration` (ms), `TYPE.error` and, with a threshold, `TYPE.slow`; a slow one has the
 * event `TYPE.slow_operation`.
 *
 * @param type default `internal`
 * @param threshold milliseconds; default: the threshold of the type
 * @throws TypeError or RangeError at class definition for invalid options and on anything but a method
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
 * one, as the root of a trace. Returns the result of the function.
 *
 * @param type such as `calculation`
 * @param options `threshold` in milliseconds, `name` (default: that of the function, or the type)
 * @throws the error of the function; TypeError or RangeError for invalid options
 */
export function withPerformanceTracking<T>(
  type: OperationType,
  operation: () => T,
  options: Omit<TrackOptions, 'type'> = {},
): T {
  const user = 'withPerformanceTracking';
  if (typeof operation !== 'function') {
    throw new TypeError(invalid(`operation of ${user}`, formatValue(operation), 'a function'));
  }
  const tracked = TrackedOperation.from(user, { ...options, type }, operation.name || type);
  return trackCall(tracked, operation as Method, undefined, []) as T;
}

function notAMethod(user: string, where: unknown): TypeError {
  return new TypeError(
    `Invalid use of ${user}: ${String(where)} is not a method. Decorate a method of a class`,
  );
}

/** The methods that decorators replaced, whichever copy of this package did. */
const tracked = processWide('tracked-methods', () => new WeakSet<object>());

/** Whether a method has the decorator, or one that replaced it and inherits from it. */
export function isTracked(method: object): boolean {
  for (
    let at: object | null = method;
    at !== null && !types.isProxy(at);
    at = Object.getPrototypeOf(at) as object | null
  )
    if (tracked.has(at)) return true;
  return false;
}

function track<T extends Method>(original: T, operation: TrackedOperation): T {
  const wrapped = wrapMethod(original, (self, args) => trackCall(operation, original, self, args));
  tracked.add(wrapped);
  return wrapped;
}
