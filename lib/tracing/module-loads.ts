import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Module } from 'node:module';
import { processWide } from '../async/process-wide.js';
import { attempt } from '../async/thrown.js';

type Method = (this: unknown, name: string, ...more: unknown[]) => unknown;
type Listener = (name: string) => void;

const FAULT = 'following the modules that are loaded failed';

/** Calls listeners after each call of a method of Node.js, with its first argument. */
class CallFollower {
  private readonly listeners = new Set<Listener>();
  private original: Method | undefined;
  private wrapper: Method | undefined;

  /** @param of the object that has the method, if it is there */
  constructor(
    private readonly of: object | undefined,
    private readonly method: string,
  ) {}

  /** @returns stops it */
  follow(listener: Listener): () => void {
    // A listener may follow twice.
    const own: Listener = (name) => listener(name);
    this.listeners.add(own);
    this.install();
    return () => {
      if (this.listeners.delete(own) && this.listeners.size === 0) this.restore();
    };
  }

  private install(): void {
    const { of, method, listeners } = this;
    const original: unknown = of === undefined ? undefined : Reflect.get(of, method);
    if (this.wrapper !== undefined || of === undefined || typeof original !== 'function') return;
    const call = original as Method;
    const wrapper: Method = function (this: unknown, name, ...more) {
      const result = call.call(this, name, ...more);
      for (const listener of listeners) attempt(FAULT, () => listener(name));
      return result;
    };
    if (!Reflect.set(of, method, wrapper)) return;
    this.original = call;
    this.wrapper = wrapper;
  }

  /** Another tool may have wrapped it since: then it remains, calls nothing, and serves whatever follows next. */
  private restore(): void {
    const { of, method, wrapper } = this;
    if (of === undefined || wrapper === undefined || Reflect.get(of, method) !== wrapper) return;
    if (Reflect.set(of, method, this.original)) this.wrapper = undefined;
  }
}

/**
 * Calls a function with the path of each file that has been loaded as CommonJS, by `require` or by `import`. Files that are
 * loaded again cost nothing. What the function throws is logged. Where Node.js does not let it follow, nothing is called.
 * @returns stops it
 */
export function onFileLoaded(loaded: (path: string) => void): () => void {
  const prototype = (Module as { prototype?: object } | undefined)?.prototype;
  return processWide('file-loads', () => new CallFollower(prototype, 'load')).follow(loaded);
}

/**
 * Calls a function after each load that may be the first one of a module of Node.js: by `require`, by `import`, also of a file
 * that imports it, or by `process.getBuiltinModule`, but not by `require` of an ES module that imports it. What the function
 * throws is logged.
 * @returns stops it
 */
export function onBuiltinLoaded(name: string, loaded: () => void): () => void {
  const given = (id: unknown): void => {
    if (id === name) loaded();
  };
  const required = (message: unknown): void => {
    attempt(FAULT, () => given((message as { id?: unknown }).id));
  };
  const imported = (): void => void attempt(FAULT, loaded);
  const follower = processWide('builtin-loads', () => new CallFollower(process, 'getBuiltinModule'));
  const stop = follower.follow(given);
  subscribe('tracing:module.require:end', required);
  subscribe('tracing:module.import:asyncEnd', imported);
  return () => {
    stop();
    unsubscribe('tracing:module.require:end', required);
    unsubscribe('tracing:module.import:asyncEnd', imported);
  };
}
