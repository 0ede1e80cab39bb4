import { types } from 'node:util';
import { type Context, context } from '@opentelemetry/api';
import { Observable, Subject, tap } from 'rxjs';
import { observePromise } from './promise-outcome.js';

/** What measures calls of a method or function. */
export interface Measured {
  /** Distinguishes it from others that measure the same Observable or generator. */
  readonly key: string;
  /**
   * Whether what an Observable emits reaches its subscriber in the context of the subscription. A connection emits in that of
   * the call that once opened it.
   */
  readonly keepsContext?: boolean;
  /**
   * Starts a call; undefined if it is not measured. Never throws.
   * @param parent default: the active context
   * @param self the object whose method is called
   */
  start(parent?: Context, self?: unknown): Measurement | undefined;
}

/** The measurement of a running call. Its methods never throw. */
export interface Measurement {
  /** The context that the call runs in. */
  readonly context: Context;
  /** The context that the call was made in. */
  readonly parent: Context;
  succeed(): void;
  fail(error: unknown): void;
  /** Discards the call, because its result is measured instead. */
  abandon(): void;
  /** Ends the call without a duration, because its end cannot be seen. */
  lose(): void;
}

type Call = (this: unknown, ...args: never[]) => unknown;
type Method = (...args: unknown[]) => unknown;
type AnyGenerator = Generator | AsyncGenerator;

/** By Observable and generator: the operations that measure it, so that one that is returned again is measured once. */
const measured = new WeakMap<object, Set<string>>();

/**
 * Calls a function and measures it until its result is complete: a promise until it settles, an Observable from each
 * subscription to its end, a generator from the first `next` to its end, anything else until it is returned. The result
 * itself is returned. Thenables that are not promises, such as query builders, count as plain values: calling `then`
 * would execute them. So do Subjects, whose end is unrelated to the call, and proxies, whose traps must not run.
 */
export function trackCall(operation: Measured, call: Call, self: unknown, args: unknown[]): unknown {
  const running = operation.start(undefined, self);
  if (running === undefined) return Reflect.apply(call, self, args);
  let result: unknown;
  try {
    result = context.with(running.context, call as Method, self, ...args);
  } catch (error) {
    running.fail(error);
    throw error;
  }
  observeResult(operation, running, result);
  return result;
}

/** Ends the measurement of a call that returned, once its result is complete. */
export function observeResult(operation: Measured, running: Measurement, result: unknown): void {
  if (types.isPromise(result)) {
    observePromise(result, {
      fulfilled: () => running.succeed(),
      rejected: (reason) => running.fail(reason),
      lost: () => running.lose(),
    });
  } else if (isColdObservable(result)) {
    measureSubscriptions(operation, running, result);
  } else if (types.isGeneratorObject(result)) {
    measureIteration(operation, running, result as AnyGenerator);
  } else running.succeed();
}

/** Whether a value is an Observable, of any copy of rxjs, and no Subject. Runs no code of the value. */
function isColdObservable(value: unknown): value is Observable<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  let prototype: unknown = value;
  while (prototype !== null && prototype !== Object.prototype) {
    if (types.isProxy(prototype) || prototype === Subject.prototype) return false;
    if (prototype === Observable.prototype) return true;
    if (
      prototype !== value &&
      hasMethod(prototype as object, 'lift') &&
      hasMethod(prototype as object, 'subscribe')
    )
      return !hasMethod(prototype as object, 'next');
    prototype = Object.getPrototypeOf(prototype);
  }
  return false;
}

function hasMethod(object: object, name: string): boolean {
  return typeof Object.getOwnPropertyDescriptor(object, name)?.value === 'function';
}

/**
 * Replaces methods of an object by hidden properties of its own, until its end. A frozen object is not measured, and one
 * that the operation measures already is not measured twice.
 */
function replaceMethods(
  object: object,
  operation: Measured,
  call: Measurement,
  methods: Record<string, Method>,
): void {
  const operations = measured.get(object) ?? new Set();
  const { key } = operation;
  if (!operations.has(key)) {
    if (!Object.isExtensible(object)) {
      call.succeed();
      return;
    }
    for (const [name, value] of Object.entries(methods))
      Reflect.defineProperty(object, name, { value, configurable: true, writable: true, enumerable: false });
    measured.set(object, operations.add(key));
  }
  call.abandon();
}

/** Measures each subscription, without a subscription of its own: the source emits what the subscriber asks for. */
function measureSubscriptions(operation: Measured, call: Measurement, source: Observable<unknown>): void {
  const subscribe = source.subscribe as Method;
  const original = new Observable((subscriber) => Reflect.apply(subscribe, source, [subscriber]) as never);
  replaceMethods(source, operation, call, {
    subscribe(...args) {
      const running = operation.start(call.parent);
      if (running === undefined) return Reflect.apply(subscribe, source, args);
      let failure: { error: unknown } | undefined;
      const observed = original.pipe(
        tap({
          error: (error: unknown) => {
            failure = { error };
          },
          finalize: () => (failure === undefined ? running.succeed() : running.fail(failure.error)),
        }),
      );
      const delivered = operation.keepsContext === true ? deliveredIn(context.active(), observed) : observed;
      return context.with(running.context, delivered.subscribe as Method, delivered, ...args);
    },
  });
}

function deliveredIn(within: Context, source: Observable<unknown>): Observable<unknown> {
  return new Observable((subscriber) =>
    source.subscribe({
      next: (value) => context.with(within, () => subscriber.next(value)),
      error: (error) => context.with(within, () => subscriber.error(error)),
      complete: () => context.with(within, () => subscriber.complete()),
    }),
  );
}

/** `yield*` passes on results that any object may have made. Runs no code of them. */
function isDone(result: unknown): boolean {
  if (typeof result !== 'object' || result === null || types.isProxy(result)) return false;
  return Object.getOwnPropertyDescriptor(result, 'done')?.value === true;
}

/** Measures a generator from its first step to its end, and runs each step in the operation's context. */
function measureIteration(operation: Measured, call: Measurement, generator: AnyGenerator): void {
  let running: Measurement | undefined;
  const end = (finish: (operation: Measurement) => void): void => {
    for (const name of ['next', 'return', 'throw']) Reflect.deleteProperty(generator, name);
    if (running !== undefined) finish(running);
    running = undefined;
  };
  const settle = (result: unknown): void => {
    if (isDone(result)) end((ended) => ended.succeed());
  };
  const fail = (error: unknown): void => end((ended) => ended.fail(error));
  const lost = (): void => end((ended) => ended.lose());
  const step = (name: 'next' | 'return' | 'throw'): Method => {
    const advance = generator[name] as Method;
    return (...args) => {
      running ??= operation.start(call.parent);
      let result: unknown;
      try {
        result =
          running === undefined
            ? Reflect.apply(advance, generator, args)
            : context.with(running.context, advance, generator, ...args);
      } catch (error) {
        fail(error);
        throw error;
      }
      if (types.isPromise(result)) observePromise(result, { fulfilled: settle, rejected: fail, lost });
      else settle(result);
      return result;
    };
  };
  replaceMethods(generator, operation, call, {
    next: step('next'),
    return: step('return'),
    throw: step('throw'),
  });
}
