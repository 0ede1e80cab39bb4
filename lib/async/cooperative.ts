import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** How long the event loop is held at a time by default. */
const SLICE_MS = 1.5;

/** Runs a generator and yields to the event loop whenever `sliceMs` have passed. @returns the generator's result */
export async function runCooperatively<T, R>(
  steps: Generator<T, R>,
  take: (value: T) => void = () => {},
  sliceMs = SLICE_MS,
): Promise<R> {
  let began = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    take(step.value);
    if (performance.now() - began > sliceMs) {
      await setImmediate();
      began = performance.now();
    }
  }
}

/** Iterates and yields to the event loop as {@link runCooperatively} does. */
export async function* iterateCooperatively<T>(steps: Iterable<T>, sliceMs = SLICE_MS): AsyncGenerator<T> {
  let began = performance.now();
  for (const step of steps) {
    yield step;
    if (performance.now() - began > sliceMs) {
      await setImmediate();
      began = performance.now();
    }
  }
}

/** Runs a generator without pauses. @returns its result */
export function runToCompletion<T, R>(steps: Generator<T, R>): R {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
