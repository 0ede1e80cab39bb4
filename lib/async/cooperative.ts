import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** How long the event loop is held in one go where nothing else is said. */
const SLICE_MS = 1.5;

/** Takes all that a generator yields, and lets others run whenever it took so long. @returns what it returns */
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

/** All that a generator yields, with rests as {@link runCooperatively} has them. */
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

/** Runs a generator to its end. @returns what it returns */
export function runToCompletion<T, R>(steps: Generator<T, R>): R {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
