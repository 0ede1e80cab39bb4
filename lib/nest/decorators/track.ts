import { types } from 'node:util';
import { context } from '@opentelemetry/api';
import { isObservable, Observable } from 'rxjs';
import type { RunningOperation, TrackedOperation } from './tracked-operation.js';

type Call = (this: unknown, ...args: never[]) => unknown;
type AnyGenerator = Generator | AsyncGenerator;

/**
 * Calls a function and measures it until its result is complete: a promise until it settles, an Observable from each
 * subscription to its end, a generator from the first `next` to its end, anything else until it is returned.
 * Thenables that are not promises, such as query builders, count as plain values: calling `then` would execute them.
 */
export function trackCall(operation: TrackedOperation, call: Call, self: unknown, args: unknown[]): unknown {
  const running = operation.start();
  if (running === undefined) return Reflect.apply(call, self, args);
  let result: unknown;
  try {
    result = context.with(running.context, call as (...args: unknown[]) => unknown, self, ...args);
  } catch (error) {
    running.fail(error);
    throw error;
  }
  if (types.isPromise(result)) return untilSettled(running, result);
  if (isObservable(result)) {
    running.abandon();
    return perSubscription(operation, running, result);
  }
  if (types.isGeneratorObject(result)) {
    running.abandon();
    return whileIterated(operation, running, result as AnyGenerator);
  }
  running.succeed();
  return result;
}

function untilSettled(running: RunningOperation, promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      running.succeed();
      return value;
    },
    (error: unknown) => {
      running.fail(error);
      throw error;
    },
  );
}

function perSubscription(
  operation: TrackedOperation,
  call: RunningOperation,
  source: Observable<unknown>,
): Observable<unknown> {
  return new Observable((subscriber) => {
    const running = operation.start(call.parent);
    if (running === undefined) return source.subscribe(subscriber);
    let done = false;
    const end = (finish: () => void): void => {
      if (done) return;
      done = true;
      finish();
    };
    const subscription = context.with(running.context, () =>
      source.subscribe({
        next: (value) => subscriber.next(value),
        error: (error: unknown) => {
          end(() => running.fail(error));
          subscriber.error(error);
        },
        complete: () => {
          end(() => running.succeed());
          subscriber.complete();
        },
      }),
    );
    return () => {
      subscription.unsubscribe();
      end(() => running.succeed());
    };
  });
}

/** Wraps a generator so that each step runs in the operation's context. */
function whileIterated(
  operation: TrackedOperation,
  call: RunningOperation,
  generator: AnyGenerator,
): AnyGenerator {
  let running: RunningOperation | undefined;
  let done = false;
  const settle = (result: IteratorResult<unknown>): IteratorResult<unknown> => {
    if (result.done === true && !done) {
      done = true;
      running?.succeed();
    }
    return result;
  };
  const fail = (error: unknown): never => {
    if (!done) {
      done = true;
      running?.fail(error);
    }
    throw error;
  };
  const step =
    (method: 'next' | 'return' | 'throw') =>
    (...args: unknown[]): unknown => {
      if (!done && running === undefined) running = operation.start(call.parent);
      const advance = generator[method] as (...args: unknown[]) => unknown;
      let result: unknown;
      try {
        result =
          running === undefined
            ? Reflect.apply(advance, generator, args)
            : context.with(running.context, advance, generator, ...args);
      } catch (error) {
        return fail(error);
      }
      if (types.isPromise(result))
        return result.then((value) => settle(value as IteratorResult<unknown>), fail);
      return settle(result as IteratorResult<unknown>);
    };
  // With the prototype of the generator, so that iteration and `instanceof` work.
  return Object.create(Object.getPrototypeOf(generator) as object, {
    next: { value: step('next') },
    return: { value: step('return') },
    throw: { value: step('throw') },
  }) as AnyGenerator;
}
