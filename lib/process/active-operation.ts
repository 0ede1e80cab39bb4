import type { BlockingOperation } from './stall.js';

const RUNTIME = Symbol.for('nestjs-performance.runtime');

/** The operation of the code that runs now. Asks the process's runtime, of whichever build or copy it is. */
export function activeOperation(): BlockingOperation | undefined {
  try {
    const runtime = (globalThis as { [RUNTIME]?: { activeOperation?: () => string } })[RUNTIME];
    const told = runtime?.activeOperation?.();
    return told ? (JSON.parse(told) as BlockingOperation) : undefined;
  } catch {
    return undefined;
  }
}
