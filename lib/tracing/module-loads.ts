import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Module } from 'node:module';
import { attempt } from '../async/thrown.js';

/** A module of CommonJS, as far as it is used here. */
interface Loading {
  load?(this: object, path: string, ...more: unknown[]): unknown;
}

const FAULT = 'following the modules that are loaded failed';

/**
 * Calls a function with the path of each file that has been loaded as CommonJS, by `require` or by `import`. Files that are
 * loaded again cost nothing. What the function throws is logged.
 * @returns ends it
 */
export function onFileLoaded(loaded: (path: string) => void): () => void {
  const prototype = Module.prototype as unknown as Loading;
  const original = prototype.load;
  if (typeof original !== 'function') return () => {};
  let isActive = true;
  const load: Loading['load'] = function (this: object, path, ...more) {
    const result = original.call(this, path, ...more);
    if (isActive) attempt(FAULT, () => loaded(path));
    return result;
  };
  prototype.load = load;
  return () => {
    isActive = false;
    // Another tool may have wrapped it since.
    if (prototype.load === load) prototype.load = original;
  };
}

/**
 * Calls a function after each load that may be the first one of a module of Node.js: by `require`, by `import()`, also of a
 * file that imports it, or by `process.getBuiltinModule`. What the function throws is logged.
 * @returns ends it
 */
export function onBuiltinLoaded(name: string, loaded: () => void): () => void {
  const required: ChannelListener = (message) => {
    if ((message as { id?: unknown }).id === name) attempt(FAULT, loaded);
  };
  const imported: ChannelListener = () => void attempt(FAULT, loaded);
  subscribe('tracing:module.require:end', required);
  subscribe('tracing:module.import:asyncEnd', imported);
  const original = process.getBuiltinModule;
  let isActive = true;
  const getBuiltinModule = (id: string): object | undefined => {
    const module = original(id);
    if (isActive && id === name) attempt(FAULT, loaded);
    return module;
  };
  process.getBuiltinModule = getBuiltinModule as typeof original;
  return () => {
    isActive = false;
    unsubscribe('tracing:module.require:end', required);
    unsubscribe('tracing:module.import:asyncEnd', imported);
    if (process.getBuiltinModule === getBuiltinModule) process.getBuiltinModule = original;
  };
}
