import { context } from '@opentelemetry/api';

/** A method of `pg`. It calls back or returns a promise. */
export type Method<This> = (this: This, ...args: unknown[]) => unknown;

type Callback = (this: unknown, ...outcome: unknown[]) => unknown;

/** Called once with the outcome of a call, before the application receives it. Must not throw. */
type Settled = (error: unknown, result: unknown) => void;

/**
 * Calls a method of `pg` and observes its outcome. A callback runs in the context of the call: `pg` calls it from the socket.
 * @param callbackAt the position of its callback, or -1 if it returns a promise
 */
export function observe<This>(
  method: Method<This>,
  self: This,
  args: unknown[],
  callbackAt: number,
  settled: Settled,
): unknown {
  if (callbackAt >= 0) args[callbackAt] = observed(args[callbackAt] as Callback, settled);
  let result: unknown;
  try {
    result = method.apply(self, args);
  } catch (error) {
    settled(error, undefined);
    throw error;
  }
  if (callbackAt >= 0) return result;
  if (!isThenable(result)) {
    settled(undefined, undefined);
    return result;
  }
  return result.then(
    (value) => {
      settled(undefined, value);
      return value;
    },
    (error: unknown) => {
      settled(error, undefined);
      throw error;
    },
  );
}

/** The position of the last argument that is a function, or -1. */
export function callbackIn(args: readonly unknown[]): number {
  for (let at = args.length - 1; at >= 0; at--) if (typeof args[at] === 'function') return at;
  return -1;
}

/** Passes on as many arguments as it receives: callbacks may count them. */
function observed(callback: Callback, settled: Settled): Callback {
  const caller = context.active();
  return function (this: unknown, ...outcome) {
    settled(outcome[0], outcome[1]);
    return context.active() === caller
      ? callback.apply(this, outcome)
      : context.with(caller, callback, this, ...outcome);
  };
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof (value as Promise<unknown> | undefined)?.then === 'function';
}
