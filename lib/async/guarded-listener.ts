import { types } from 'node:util';

/**
 * A listener of the application that cannot harm others: what it throws, and a promise that it returns and rejects, goes to
 * `onError`. Of consecutive failures, only the first one does. Returned values are not touched unless they are promises, since
 * some do their work when they are first awaited.
 */
export function guardedListener<T>(
  listener: (event: T) => unknown,
  onError: (error: unknown) => void,
): (event: T) => void {
  let failing = false;
  const succeeded = (): void => {
    failing = false;
  };
  const failed = (error: unknown): void => {
    if (failing) return;
    failing = true;
    try {
      onError(error);
    } catch {
      // The log is the application's as well.
    }
  };
  return (event) => {
    try {
      const result = listener(event);
      // The method of a subclass may be anything.
      if (types.isPromise(result)) Promise.prototype.then.call(result, succeeded, failed);
      else succeeded();
    } catch (error) {
      failed(error);
    }
  };
}
