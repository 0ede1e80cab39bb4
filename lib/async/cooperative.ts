import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** How long one slice blocks the event loop by default. */
const SLICE_MS = 1.5;

let slicesMs = 0;

/** How long all slices of {@link runCooperatively} took since the process started, in milliseconds. */
export function cooperativeMs(): number {
  return slicesMs;
}

/**
 * Runs a generator to its end in slices, so that it does not block the event loop.
 * @param take called with each yielded value
 * @returns the result of the generator
 */
export async function runCooperatively<T, R>(
  steps: Generator<T, R>,
  take: (value: T) => void = () => {},
  sliceMs = SLICE_MS,
): Promise<R> {
  let startedAt = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      slicesMs += performance.now() - startedAt;
      return step.value;
    }
    take(step.value);
    const tookMs = performance.now() - startedAt;
    if (tookMs > sliceMs) {
      slicesMs += tookMs;
      await setImmediate();
      startedAt = performance.now();
    }
  }
}

/** Iterates in slices, so that the iteration does not block the event loop. */
export async function* iterateCooperatively<T>(steps: Iterable<T>, sliceMs = SLICE_MS): AsyncGenerator<T> {
  let startedAt = performance.now();
  for (const step of steps) {
    yield step;
    if (performance.now() - startedAt > sliceMs) {
      await setImmediate();
      startedAt = performance.now();
    }
  }
}

/** Runs a generator to its end without a pause. @returns the result of the generator */
export function runToCompletion<T, R>(steps: Generator<T, R>): R {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
