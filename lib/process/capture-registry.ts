import { runInThisContext } from 'node:vm';

type Captures = Map<number, () => void>;

const KEY = Symbol.for('nestjs-performance.captures');

/** The inspector evaluates in the process's first context; a test runner may have given us another one. */
function captures(): Captures {
  const first = runInThisContext('globalThis') as { [KEY]?: Captures };
  first[KEY] ??= new Map();
  return first[KEY];
}

let last = 0;

/** Makes a function callable from an expression that is evaluated on the main thread. */
export function publishCapture(capture: () => void): { expression: string; withdraw: () => void } {
  const published = captures();
  // Copies of this file count for themselves.
  while (published.has(last)) last++;
  const id = last;
  published.set(id, capture);
  return {
    expression: `globalThis[Symbol.for(${JSON.stringify(KEY.description)})]?.get(${id})?.()`,
    withdraw: () => published.delete(id),
  };
}
